import { DISTRIBUTIONS } from "../../hosts/distributions";
import type { HostFile, Ownership } from "../../provider/contract/release";
import { type Host, onHost } from "../../sandbox";
import { type Layer, upHostFrom } from "../../sandbox/layers";
import { LOGIN, type Release } from "./host-programs";

/** A release of scope `user`: a small real service in a container of the sandbox's login user. */

export const HOME = `/home/${LOGIN}`;
export const CONF = `${HOME}/.config/hearth/probe/probe.conf`;
export const QUADLET = `${HOME}/.config/containers/systemd/hearth-probe.container`;
export const TIMER = `${HOME}/.config/systemd/user/hearth-tick.timer`;
export const DATA = `${HOME}/.local/share/hearth/probe`;
export const STATE = `${HOME}/.local/state/hearth`;
/** The image, in a real registry on the host itself. */
export const REGISTRY = "registry.test:5000";
export const IMAGE = `${REGISTRY}/probe:1`;
export const URL = "http://127.0.0.1:8099/served";

const owned = (mode: string): Ownership => ({ mode, owner: LOGIN, group: LOGIN });
export const userFile = (content: string, mode = "0644"): HostFile => ({ content, ...owned(mode) });

/** The program of the image: busybox's web server shows the configuration and the length of the secret that it was started with. */
const SERVE = `#!/bin/sh
set -eu
if [ "\${1-}" = check ]; then
  . /etc/probe/probe.conf
  case $mode in normal | crash) exit 0 ;; esac
  echo "no such mode: $mode"
  exit 1
fi
. /etc/probe/probe.conf
if [ "$mode" = crash ]; then
  echo "cannot start with mode=crash, password=hunter2"
  exit 1
fi
mkdir -p /run/www
cp /etc/probe/probe.conf /run/www/served
wc -c </run/secrets/given >>/run/www/served
exec httpd -f -p 8000 -h /run/www
`;

/** Run as root: installs Podman and its requirements. */
const INSTALL = `set -eu
apt-get update -q >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends ${DISTRIBUTIONS["debian:13"]?.containers.join(" ")} >/dev/null
loginctl enable-linger ${LOGIN}
`;

/** Run as root: the name of the host's own registry. */
const NAME_REGISTRY = "echo 127.0.0.1 registry.test >>/etc/hosts";

/** Run as root, with the image's program as input: a registry on the host itself, and the parts of the stand-in image. */
const STAND_IN = `set -eu
apt-get update -q >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends busybox-static docker-registry >/dev/null
mkdir -p /etc/containers/registries.conf.d
printf '[[registry]]\\nlocation = "${REGISTRY}"\\ninsecure = true\\n' >/etc/containers/registries.conf.d/test.conf
cat >/etc/docker/registry/config.yml <<'END'
version: 0.1
storage: { filesystem: { rootdirectory: /var/lib/docker-registry } }
http: { addr: "127.0.0.1:5000" }
END
systemctl restart docker-registry
until ss -Hltn | grep -q 127.0.0.1:5000; do sleep 0.1; done
mkdir -p /run/rootfs/bin /run/rootfs/etc /run/rootfs/tmp
cp /usr/bin/busybox /run/rootfs/bin/
for name in sh cat cp httpd mkdir sleep wc id test; do ln -s busybox "/run/rootfs/bin/$name"; done
cat >/run/rootfs/bin/serve
chmod 0755 /run/rootfs/bin/serve
tar -C /run/rootfs -c -f /run/rootfs.tar .
`;

const IMPORT = `podman import --quiet --change 'CMD ["/bin/serve"]' /run/rootfs.tar ${IMAGE} && podman push --quiet ${IMAGE}`;

export const PROBE: Layer = {
  name: "probe",
  key: [INSTALL, NAME_REGISTRY, STAND_IN, SERVE, IMPORT],
  make: async (host) => {
    await asRoot(host, INSTALL);
    await bringStandIn(host);
  },
};

/** A sandbox host on which {@link userRelease} can run. */
export async function rootlessHost(name: string): Promise<Host> {
  const host = await upHostFrom(PROBE, { name });
  await asRoot(host, NAME_REGISTRY);
  return host;
}

/** Puts the stand-in image into the login user's store and into the host's own registry; Podman must be installed. */
export async function bringStandIn(host: Host): Promise<void> {
  await asRoot(host, NAME_REGISTRY);
  await asRoot(host, STAND_IN, SERVE);
  await asUser(host, IMPORT);
}

async function asRoot(host: Host, text: string, input?: string): Promise<void> {
  const { code, stderr } = await onHost(host, [text], input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`${host.name} could not be prepared: ${stderr}`);
}

/** Standard output of shell text, run as the login user in the user's manager; throws if it fails. */
export async function asUser(host: Host, text: string): Promise<string> {
  const script = `export XDG_RUNTIME_DIR="/run/user/$(id -u)"\n${text}`;
  const { code, stdout, stderr } = await onHost(host, [script], { user: LOGIN });
  if (code !== 0) throw new Error(`${text}: exit ${code}: ${stderr}${stdout}`);
  return stdout.trimEnd();
}

/** `probe.conf`'s text. */
export const conf = (mark: string, mode = "normal"): string => `mode=${mode}\n# ${mark}\n`;

export const quadlet = (image = IMAGE): string => `[Unit]
Description=Probe
StartLimitIntervalSec=0
[Container]
Image=${image}
ContainerName=hearth-probe
Pull=never
UserNS=keep-id:uid=991,gid=991
User=991:991
ReadOnly=true
Tmpfs=/run:mode=1777
Volume=${HOME}/.config/hearth/probe:/etc/probe:ro
Volume=${DATA}:/data
Secret=probe-given,target=given,uid=991,gid=991,mode=0400
PublishPort=127.0.0.1:8099:8000
StopTimeout=1
[Service]
TimeoutStartSec=90
Restart=always
RestartSec=1
[Quadlet]
DefaultDependencies=false
[Install]
WantedBy=default.target
`;

/** A job that runs for a long time after its start. */
const TICK = "[Service]\nType=oneshot\nExecStart=/bin/sleep 600\n";
const TICKING = "[Timer]\nOnCalendar=monthly\nPersistent=true\n[Install]\nWantedBy=timers.target\n";

/** Runs the image's own program over the staged configuration, at its final path. */
const CHECK = [
  ...["/usr/bin/podman", "run", "--rm", "--pull=never", "--network=none", "--read-only"],
  ...["--userns=keep-id:uid=991,gid=991", "--user=991:991"],
  ...["--volume", `${HOME}/.config/hearth/probe:/etc/probe:ro`, IMAGE, "/bin/serve", "check"],
];

/** Quadlet reports unreadable lines, but still succeeds. */
const DRY_RUN =
  'if ! said=$(/usr/libexec/podman/quadlet --user --dryrun 2>&1 >/dev/null) || printf %s "$said" | grep converting; then printf %s "$said"; exit 1; fi';

/** The release with that configuration; the rest can be overridden. */
export function userRelease(content: string, overrides: Release = {}): Release {
  return {
    release: "probe",
    identity: { serverName: "probe.test" },
    directories: { [DATA]: owned("0700") },
    files: {
      [CONF]: userFile(content),
      [QUADLET]: userFile(quadlet()),
      [`${HOME}/.config/systemd/user/hearth-tick.service`]: userFile(TICK),
      [TIMER]: userFile(TICKING),
    },
    secrets: { [`${DATA}/random`]: { ...owned("0600"), source: { kind: "random", bytes: 20 } } },
    images: [IMAGE],
    containerSecrets: {
      "probe-random": { source: { kind: "random", bytes: 20 } },
      // Its name sorts before the name of its source.
      "probe-made": {
        source: {
          kind: "command",
          argv: [
            "/usr/bin/podman",
            "secret",
            "inspect",
            "--showsecret",
            "--format",
            "{{.SecretData}}",
            "probe-random",
          ],
        },
      },
      "probe-given": { source: { kind: "given", value: "from the operator" } },
    },
    tasks: {
      mark: {
        observe: ["/bin/cat", `${DATA}/mark`],
        apply: ["/bin/sh", "-c", `id -un >"$HOME/.local/share/hearth/probe/mark"`],
        want: LOGIN,
      },
    },
    units: {
      "hearth-probe.service": {
        enabled: true,
        state: "running",
        restartOn: [CONF, "container-secret:probe-given", `image:${IMAGE}`],
        reloadOn: [],
      },
      "hearth-tick.timer": { enabled: true, state: "running", restartOn: [], reloadOn: [] },
    },
    validators: {
      "10-configuration": { argv: CHECK, timeoutSeconds: 60 },
      "20-quadlet": { argv: ["/bin/sh", "-c", DRY_RUN], timeoutSeconds: 60 },
      "30-units": {
        argv: ["/usr/bin/systemd-analyze", "--user", "verify", TIMER],
        timeoutSeconds: 60,
        isolateNetwork: true,
      },
    },
    health: { answers: { kind: "http", url: URL, status: 200, timeoutSeconds: 60 } },
    ...overrides,
  };
}
