import { randomBytes } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";
import type { Container } from "./container";
import { copyTree, removeTree, shareFile } from "./disk";
import { trustAuthority } from "./image";
import { ifUnlocked } from "./lock";
import { type NamedHost, renderHostsFile, renderKnownHosts, renderSshConfig } from "./names";
import { run } from "./process";
import { resolverForHosts } from "./resolver";
import { exists, type StateDirectory, type Suite, writeFileAtomically } from "./state";
import { addressIn } from "./subnet";

/** The record of a host, in its `host.json`. */
export interface HostRecord {
  name: string;
  suite: Suite;
  /** Last number of its address in the sandbox's /24. */
  index: number;
  dnsNames: string[];
}

/** All hosts on disk, running or not, by name. */
export async function readHosts(state: StateDirectory): Promise<HostRecord[]> {
  if (!(await exists(state.path("hosts")))) return [];
  const names = await fs.readdir(state.path("hosts"));
  const records = await Promise.all(
    names.filter((name) => !name.startsWith(".")).map((name) => readHost(state, name)),
  );
  return records.filter((record) => record !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
}

export async function readHost(state: StateDirectory, name: string): Promise<HostRecord | undefined> {
  const file = path.join(state.hostDirectory(name), "host.json");
  const text = await fs.readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as HostRecord);
}

export async function writeHost(state: StateDirectory, record: HostRecord): Promise<void> {
  const file = path.join(state.hostDirectory(record.name), "host.json");
  await writeFileAtomically(file, `${JSON.stringify(record, null, 2)}\n`);
}

export function containerOf(state: StateDirectory, record: HostRecord): Container {
  return {
    name: record.name,
    machine: `${state.tag}-${record.index}`,
    directory: state.hostDirectory(record.name),
  };
}

/**
 * Copies an image under a hidden name, the first half of creating a host: it takes a second or more, and other hosts do
 * not wait for it. Call under the host's lock, and the image's (shared).
 */
export async function copyImage(state: StateDirectory, name: string, image: string): Promise<void> {
  await removeHalfHost(state, name);
  const directory = halfMade(state, name);
  await fs.mkdir(directory);
  await copyTree(image, path.join(directory, "root"));
}

/**
 * Creates a host from a copied image: completes it, then renames it, so that a crash leaves nothing that looks like a host.
 * Call under the host's lock and the `shared` one.
 */
export async function createHost(state: StateDirectory, record: HostRecord, caFile: string): Promise<void> {
  const directory = halfMade(state, record.name);
  const root = path.join(directory, "root");
  await trustAuthority(root, caFile);
  await fs.writeFile(path.join(root, "etc/hostname"), `${record.name}\n`);
  await fs.writeFile(path.join(root, "etc/machine-id"), `${randomBytes(16).toString("hex")}\n`);
  await fs.writeFile(
    path.join(root, "etc/hosts"),
    `127.0.0.1 localhost\n127.0.1.1 ${record.name}\n::1 localhost\n`,
  );
  const hostKey = path.join(directory, "ssh_host_ed25519_key");
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", record.name, "-f", hostKey]);
  await run("cp", ["-p", hostKey, `${hostKey}.pub`, path.join(root, "etc/ssh/")]);
  const authorized = await fs.readFile(`${await ensureIdentity(state)}.pub`);
  await fs.writeFile(path.join(root, "root/.ssh/authorized_keys"), authorized, { mode: 0o600 });
  const account = await fs.stat(path.join(root, "home/debian"));
  const userKeys = path.join(root, "home/debian/.ssh/authorized_keys");
  await fs.writeFile(userKeys, authorized, { mode: 0o600 });
  await fs.chown(userKeys, account.uid, account.gid);
  await linkPackages(state.path("cache/apt", record.suite), path.join(root, "var/cache/apt/archives"));
  await fs.writeFile(path.join(directory, "host.json"), `${JSON.stringify(record, null, 2)}\n`);
  await fs.rename(directory, state.hostDirectory(record.name));
}

/**
 * Hides a host's disk from the other hosts; packages that it downloaded with apt stay for later hosts. {@link removeHalfHost}
 * removes its files. Call under the host's lock and the `shared` one.
 */
export async function retireHost(state: StateDirectory, record: HostRecord): Promise<void> {
  await keepPackages(state, record);
  await removeHalfHost(state, record.name);
  await fs.rename(state.hostDirectory(record.name), state.path("hosts", `.${record.name}.gone`));
}

/** Removes leftovers of creating or removing a host. Call under the host's lock. */
export async function removeHalfHost(state: StateDirectory, name: string): Promise<void> {
  for (const directory of [halfMade(state, name), state.path("hosts", `.${name}.gone`)]) {
    if (await exists(directory)) await removeTree(directory);
  }
}

/** Removes leftovers of all hosts that no command works on now. */
export async function removeHalfHosts(state: StateDirectory): Promise<void> {
  for (const entry of await fs.readdir(state.path("hosts"))) {
    const name = /^\.(.+)\.(new|gone)$/.exec(entry)?.[1];
    if (name !== undefined) await ifUnlocked(state, `host-${name}`, () => removeHalfHost(state, name));
  }
}

const halfMade = (state: StateDirectory, name: string) => state.path("hosts", `.${name}.new`);

/** Writes the files that depend on the subnet, before each boot: the sandbox's /24 may have changed since the last one. */
export async function writeNetworkFiles(
  state: StateDirectory,
  record: HostRecord,
  subnet: string,
): Promise<void> {
  const root = path.join(state.hostDirectory(record.name), "root");
  const network = [
    ...["[Match]", "Name=host0", "", "[Network]", `Address=${addressIn(subnet, record.index)}/24`],
    ...[`Gateway=${addressIn(subnet, 1)}`, "LinkLocalAddressing=no", "IPv6AcceptRA=no", ""],
  ].join("\n");
  // It must sort before systemd's own 80-container-host0.network.
  await writeFileAtomically(path.join(root, "etc/systemd/network/10-host0.network"), network);
  await writeFileAtomically(path.join(root, "etc/resolv.conf"), await resolverForHosts());
}

/** Updates every file that lists hosts: each host's /etc/hosts, known_hosts, the ssh configuration. */
export async function syncNames(state: StateDirectory, subnet: string): Promise<void> {
  const records = await readHosts(state);
  const hosts = await Promise.all(records.map((record) => namedHost(state, record, subnet)));
  for (const record of records) {
    const file = path.join(state.hostDirectory(record.name), "root/etc/hosts");
    const present = await fs.readFile(file, "utf8").catch(() => "");
    const wanted = renderHostsFile(present, hosts);
    if (wanted !== present) await writeFileAtomically(file, wanted);
  }
  const files = { identityFile: await ensureIdentity(state), knownHostsFile: knownHostsFile(state) };
  await writeFileAtomically(files.knownHostsFile, renderKnownHosts(hosts));
  await writeFileAtomically(sshConfigFile(state), renderSshConfig(hosts, files));
}

export function sshConfigFile(state: StateDirectory): string {
  return state.path("ssh", "config");
}

export function knownHostsFile(state: StateDirectory): string {
  return state.path("ssh", "known_hosts");
}

/** The private key for all hosts of this sandbox, created at first use. */
async function ensureIdentity(state: StateDirectory): Promise<string> {
  const file = state.path("ssh", "id_ed25519");
  if (!(await exists(`${file}.pub`))) {
    await fs.rm(file, { force: true });
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "hearth-sandbox", "-f", file]);
  }
  return file;
}

/**
 * Passes the downloads of one host to later hosts of its suite. Each host has its own archive directory and
 * apt lock; files are shared, not copied. apt checks each file's digest before it uses it.
 */
export async function keepPackages(state: StateDirectory, record: HostRecord): Promise<void> {
  const archives = path.join(state.hostDirectory(record.name), "root/var/cache/apt/archives");
  await linkPackages(archives, state.path("cache/apt", record.suite));
}

async function linkPackages(from: string, to: string): Promise<void> {
  await fs.mkdir(to, { recursive: true });
  const names = await fs.readdir(from).catch(() => []);
  for (const name of names.filter((entry) => entry.endsWith(".deb"))) {
    await shareFile(path.join(from, name), path.join(to, name));
  }
}

async function namedHost(state: StateDirectory, record: HostRecord, subnet: string): Promise<NamedHost> {
  const key = await fs.readFile(
    path.join(state.hostDirectory(record.name), "ssh_host_ed25519_key.pub"),
    "utf8",
  );
  return {
    name: record.name,
    address: addressIn(subnet, record.index),
    dnsNames: record.dnsNames,
    hostKey: key.trim().split(" ").slice(0, 2).join(" "),
  };
}
