import { createHash } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";
import { makeTree, removeTree } from "./disk";
import { run } from "./process";
import { exists, type Progress, type StateDirectory, type Suite } from "./state";

/** Raise it when a change below affects the image but not the texts here. */
const RECIPE_VERSION = 2;

/** The packages of a new server from a hosting company; Hearth must install all others. */
const PACKAGES = [
  ...["systemd", "systemd-sysv", "libpam-systemd", "dbus", "udev", "openssh-server", "sudo"],
  ...["ca-certificates", "iproute2", "iputils-ping", "netbase", "procps", "less", "nano", "tzdata"],
];

/**
 * A build whose parent dies must not write into the next one: it runs in a process namespace that the kernel
 * ends with this process, and in a mount namespace that removes its mounts.
 */
const ENDS_WITH_US = [
  "--pdeathsig",
  "KILL",
  "--",
  "unshare",
  "--pid",
  "--fork",
  "--kill-child",
  "--mount",
  "--mount-proc",
];

/** The CA bundle of this machine: if outgoing TLS is inspected, hosts must trust the same authorities. */
const OPERATOR_BUNDLE = "/etc/ssl/certs/ca-certificates.crt";

/** Runs inside the new image. Masked units cannot work in a container, or start package managers by themselves. */
const FINISH = `
useradd --create-home --shell /bin/bash --comment 'Debian' debian
install -d -m 0700 /root/.ssh
install -d -m 0700 -o debian -g debian /home/debian/.ssh
rm -f /etc/ssh/ssh_host_*
systemctl -q enable ssh.service systemd-networkd.service
systemctl -q mask systemd-modules-load.service console-getty.service sys-kernel-debug.mount sys-kernel-tracing.mount
systemctl -q disable apt-daily.timer apt-daily-upgrade.timer
update-ca-certificates >/dev/null 2>&1
apt-get clean
: >/etc/machine-id
touch /etc/.updated /var/.updated
`;

const FILES: Readonly<Record<string, string>> = {
  "etc/default/locale": "LANG=C.UTF-8\n",
  "etc/sudoers.d/90-debian": "debian ALL=(ALL) NOPASSWD:ALL\n",
  // pip resumes a stalled download; an older pip ignores that line.
  "etc/pip.conf":
    "[global]\ncert = /etc/ssl/certs/ca-certificates.crt\ncache-dir = /var/cache/pip\ntimeout = 60\nretries = 10\nresume-retries = 10\n",
  // Hosts are temporary, so a package manager need not wait for the disk at every file.
  "etc/dpkg/dpkg.cfg.d/unsafe-io": "force-unsafe-io\n",
  // The pids controller is missing if the cgroups of this machine are hybrid; Podman's default limit needs it.
  "etc/containers/containers.conf.d/sandbox.conf": "[containers]\npids_limit = 0\n",
};

/**
 * Directory of the suite's base image; it may not exist yet. Its name is a digest of the recipe and of the authorities that this
 * machine trusts, not of the sandbox: with a copy of `images/` another sandbox needs no build.
 */
export async function imageOf(state: StateDirectory, suite: Suite): Promise<string> {
  const bundle = await fs.readFile(OPERATOR_BUNDLE, "utf8");
  const recipe = JSON.stringify([RECIPE_VERSION, suite, PACKAGES, FINISH, FILES, bundle]);
  return state.path("images", `${suite}-${createHash("sha256").update(recipe).digest("hex").slice(0, 12)}`);
}

/**
 * Builds the suite's base image unless it exists. A complete build is renamed to its path, so a crash leaves no
 * incomplete image. Call under the image's lock.
 */
export async function ensureImage(state: StateDirectory, suite: Suite, progress: Progress): Promise<void> {
  const image = await imageOf(state, suite);
  if (await exists(image)) return;
  for (const entry of await fs.readdir(state.path("images"))) {
    if (entry.startsWith(`${suite}-`)) await removeTree(state.path("images", entry));
  }
  const building = `${image}.building`;
  progress(`building the ${suite} image (once, about 20 s)`);
  const started = Date.now();
  await removeTree(building);
  await makeTree(building);
  const build = [
    "mmdebstrap",
    "--quiet",
    "--variant=apt",
    `--include=${PACKAGES.join(",")}`,
    suite,
    building,
  ];
  await run("setpriv", [...ENDS_WITH_US, ...build]);
  for (const [file, content] of Object.entries(FILES)) {
    await fs.mkdir(path.join(building, path.dirname(file)), { recursive: true });
    await fs.writeFile(path.join(building, file), content, {
      mode: file.startsWith("etc/sudoers") ? 0o440 : 0o644,
    });
  }
  await addAuthorities(building, await fs.readFile(OPERATOR_BUNDLE, "utf8"));
  await run("chroot", [building, "sh", "-eu"], { input: FINISH });
  await fs.rename(building, image);
  progress(`built the ${suite} image in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/**
 * Makes the host below `root` trust the sandbox's CA, like `update-ca-certificates`, which takes a second for each
 * host: writes the file among Debian's local authorities, the bundle, and the two links that OpenSSL needs. A host that
 * starts from a layer trusts it already.
 */
export async function trustAuthority(root: string, caFile: string): Promise<void> {
  const ca = await fs.readFile(caFile, "utf8");
  const source = "usr/local/share/ca-certificates/hearth-sandbox-ca.crt";
  if (await exists(path.join(root, source))) return;
  await fs.mkdir(path.join(root, path.dirname(source)), { recursive: true });
  await fs.writeFile(path.join(root, source), ca);
  await fs.appendFile(path.join(root, OPERATOR_BUNDLE), ca);
  const hash = await run("openssl", ["x509", "-in", caFile, "-noout", "-subject_hash"]);
  const certificates = path.join(root, path.dirname(OPERATOR_BUNDLE));
  await fs.symlink(`/${source}`, path.join(certificates, "hearth-sandbox-ca.pem"));
  await fs.symlink("hearth-sandbox-ca.pem", path.join(certificates, `${hash.trim()}.0`));
}

/** Installs the authorities that this machine trusts in addition to Debian's own list. */
async function addAuthorities(image: string, bundle: string): Promise<void> {
  const directory = path.join(image, "usr/local/share/ca-certificates");
  await fs.mkdir(directory, { recursive: true });
  const known = new Set(certificatesIn(await fs.readFile(path.join(image, OPERATOR_BUNDLE), "utf8")));
  for (const certificate of certificatesIn(bundle)) {
    if (known.has(certificate)) continue;
    const name = createHash("sha256").update(certificate).digest("hex").slice(0, 16);
    await fs.writeFile(path.join(directory, `operator-${name}.crt`), certificate);
  }
}

/** The PEM certificates of a bundle, each in a normal form. */
export function certificatesIn(bundle: string): string[] {
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => {
    const body = block.replace(/-----[A-Z ]+-----/g, "").replace(/\s+/g, "");
    return `-----BEGIN CERTIFICATE-----\n${body.replace(/.{1,64}/g, "$&\n")}-----END CERTIFICATE-----\n`;
  });
}
