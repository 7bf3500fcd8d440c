import type { HealthProbe, HostFile } from "../../provider/contract/release";
import type { Release } from "./host-programs";

/**
 * A small real service: busybox's web server shows the configuration that it was started with. `mode=crash` makes it fail at start,
 * `mode=brief` three seconds later.
 */
const SERVE = `#!/bin/sh
set -eu
. /etc/probe/probe.conf
if [ "$mode" = crash ]; then
  echo "cannot start with mode=crash, password=hunter2"
  exit 1
fi
mkdir -p /run/probe/www
cp /etc/probe/probe.conf /run/probe/www/served
set -- busybox httpd -f -p "127.0.0.1:$port" -h /run/probe/www
if [ "$mode" = brief ]; then exec timeout 3 "$@"; fi
exec "$@"
`;

const UNIT = `[Unit]
Description=Probe
[Service]
ExecStart=/bin/sh /usr/local/lib/probe/serve
User=probe
RuntimeDirectory=probe
[Install]
WantedBy=multi-user.target
`;

/** A second unit of the same release, to check that it stays unchanged. */
const IDLE = `[Unit]
Description=Idle
[Service]
ExecStart=/bin/sleep infinity
ExecReload=/bin/true
[Install]
WantedBy=multi-user.target
`;

export const rootFile = (content: string, mode = "0644"): HostFile => ({
  content,
  mode,
  owner: "root",
  group: "root",
});

export const CONF = "/etc/probe/probe.conf";
export const URL = "http://127.0.0.1:8099/served";

/** `probe.conf`'s text. */
export const conf = (mark: string, mode = "normal", port = 8099): string =>
  `mode=${mode}\nport=${port}\n# ${mark}\n`;

/** The health check of the service; its timeout is short, because some tests wait for it. */
export const answersWithin = (timeoutSeconds: number): Record<string, HealthProbe> => ({
  answers: { kind: "http", url: URL, status: 200, timeoutSeconds },
});

/** The release with that configuration; the rest can be overridden. */
export function probeRelease(content: string, overrides: Release = {}): Release {
  return {
    release: "probe",
    identity: { serverName: "probe.test" },
    packages: { busybox: "any", curl: "any" },
    users: { probe: { home: "/var/lib/probe", groups: [] } },
    directories: { "/var/lib/probe/data": { mode: "0750", owner: "probe", group: "probe" } },
    files: {
      [CONF]: { content, mode: "0640", owner: "root", group: "probe" },
      "/usr/local/lib/probe/serve": rootFile(SERVE, "0755"),
      "/etc/systemd/system/probe.service": rootFile(UNIT),
      "/etc/systemd/system/probe-idle.service": rootFile(IDLE),
      "/etc/issue.net": rootFile("Probe\n"),
      "/etc/probe/current": rootFile("probe.conf\n"),
      "/usr/local/lib/probe/make": rootFile('printf %s "$(cat "$(dirname "$0")/words")"\n'),
      "/usr/local/lib/probe/words": rootFile("made here\n"),
    },
    secrets: {
      "/etc/probe/secrets/random": {
        mode: "0640",
        owner: "root",
        group: "probe",
        source: { kind: "random", bytes: 20 },
      },
      "/etc/probe/secrets/made": {
        mode: "0600",
        owner: "probe",
        group: "probe",
        // Neither the program nor what it reads is in its place when the secret is made.
        source: { kind: "command", argv: ["/bin/sh", "/usr/local/lib/probe/make"] },
      },
      "/etc/probe/secrets/given": {
        mode: "0600",
        owner: "root",
        group: "root",
        source: { kind: "given", value: "from the operator" },
      },
    },
    tasks: {
      mark: {
        observe: ["/bin/cat", "/var/lib/probe/data/mark"],
        apply: ["/bin/sh", "-c", "echo marked >/var/lib/probe/data/mark"],
        want: "marked",
        user: "probe",
      },
    },
    units: {
      "probe.service": {
        enabled: true,
        state: "running",
        restartOn: [CONF, "/etc/probe/secrets/given", "revision:certificate"],
        reloadOn: [],
      },
      "probe-idle.service": { enabled: true, state: "running", restartOn: [], reloadOn: ["/etc/issue.net"] },
    },
    revisions: { certificate: "1" },
    validators: {
      configuration: {
        argv: ["/bin/sh", "-c", `grep -q '^mode=' ${CONF} && systemd-analyze verify probe.service`],
        timeoutSeconds: 20,
      },
    },
    health: answersWithin(60),
    ...overrides,
  };
}
