import fs from "node:fs/promises";
import path from "node:path";
import { ensureCa, issue } from "./certificates";
import { isRunning, killContainer, leaderOf, signalReboot, startContainer } from "./container";
import { mountDisk } from "./disk";
import { SandboxError } from "./errors";
import {
  containerOf,
  copyImage,
  createHost,
  type HostRecord,
  keepPackages,
  knownHostsFile,
  readHost,
  readHosts,
  removeHalfHost,
  removeHalfHosts,
  retireHost,
  sshConfigFile,
  syncNames,
  writeHost,
  writeNetworkFiles,
} from "./hosts";
import { ensureImage, imageOf } from "./image";
import { withLock, withSharedLock } from "./lock";
import { checkDnsNames, checkHostName, checkNamesAreFree } from "./names";
import { ensureNetwork, removeNetwork, sandboxSubnet } from "./network";
import { openSandbox, type SandboxOptions } from "./open";
import { sleep } from "./process";
import { canLogIn, waitUntilReady } from "./readiness";
import { addSystemDirectoriesToPath, checkPlatform } from "./requirements";
import { exists, type Progress, StateDirectory, type Suite } from "./state";
import { addressIn, freeIndex } from "./subnet";

export { SandboxError } from "./errors";
export { openSandbox, type SandboxOptions } from "./open";
export { onHost } from "./remote";
export { type Progress, SUITES, type Suite } from "./state";

/** A host and how to reach it. */
export interface Host {
  name: string;
  suite: Suite;
  running: boolean;
  /** IPv4 address in the sandbox's /24; the same for the host's whole life. */
  address: string;
  dnsNames: string[];
  /** For `ssh -F <file> <name>`: user root (also there: `debian`, with sudo), key and host key enforced. */
  sshConfigFile: string;
  knownHostsFile: string;
  /** Private ssh key that opens `root` and `debian`. */
  identityFile: string;
  /** Certificate of the sandbox's CA, which every host trusts. */
  caFile: string;
  /** The host's file system, seen from this machine. */
  root: string;
}

export interface UpOptions extends SandboxOptions {
  name: string;
  /** Default: trixie. A host that exists keeps its suite; asking for another is an error. */
  suite?: Suite;
  /** Names that lead to this host, in every host of the sandbox. Default: its current names (none for a new host). */
  dnsNames?: string[];
  /** The disk that a new host gets a copy of, instead of its suite's image: see layers.ts. */
  tree?: string;
}

/** Makes sure that a host exists and runs, and returns it when it has booted. Fast if it already runs. */
export async function upHost(options: UpOptions): Promise<Host> {
  const { name, dnsNames } = options;
  checkHostName(name);
  checkDnsNames(dnsNames ?? []);
  const { state, progress } = await openSandbox(options);
  return withLock(state, `host-${name}`, progress, async () => {
    const present = await readHost(state, name);
    if (present && options.suite && options.suite !== present.suite) {
      throw new SandboxError(
        `the host ${name} exists with ${present.suite}, not ${options.suite}\n  fix: end it first (this deletes its disk): down ${name}`,
      );
    }
    const record =
      present ??
      (await makeHost(
        state,
        { name, suite: options.suite ?? "trixie", dnsNames: dnsNames ?? [] },
        options.tree,
        progress,
      ));
    const container = containerOf(state, record);
    const wanted = { ...record, dnsNames: dnsNames ?? record.dnsNames };
    const subnet = await withLock(state, "shared", progress, async () => {
      checkNamesAreFree(name, wanted.dnsNames, await readHosts(state));
      await writeHost(state, wanted);
      const ready = await ensureNetwork(state);
      await syncNames(state, ready);
      return ready;
    });
    const address = addressIn(subnet, record.index);
    if (!((await isRunning(container)) && (await canLogIn(name, sshConfigFile(state))))) {
      progress(`booting ${name} at ${address}`);
      if (!(await isRunning(container))) {
        await writeNetworkFiles(state, record, subnet);
        await startContainer(state, container);
      }
      await waitUntilReady(container, address, sshConfigFile(state), progress);
    }
    return describe(state, wanted, subnet);
  });
}

/** Ends a host and removes its disk, without a shutdown; does nothing if there is no host of that name. */
export async function downHost(name: string, options: SandboxOptions = {}): Promise<void> {
  checkHostName(name);
  const { state, progress } = await openSandbox(options);
  await withLock(state, `host-${name}`, progress, async () => {
    const record = await readHost(state, name);
    if (record) {
      progress(`ending ${name}`);
      await killContainer(state, containerOf(state, record));
    }
    await withLock(state, "shared", progress, async () => {
      if (record) await retireHost(state, record);
      if ((await readHosts(state)).length === 0) await removeNetwork(state);
      else await syncNames(state, await sandboxSubnet(state));
    });
    await removeHalfHost(state, name);
  });
}

/** Ends all hosts and removes bridge and firewall table. Images, caches, CA and ssh key stay for the next use. */
export async function downAll(options: SandboxOptions = {}): Promise<void> {
  const { state, progress } = await openSandbox(options);
  for (const record of await readHosts(state)) await downHost(record.name, options);
  await removeHalfHosts(state);
  await withLock(state, "shared", progress, async () => {
    if ((await readHosts(state)).length === 0) await removeNetwork(state);
  });
}

/** All hosts, running or not, by name. */
export async function listHosts(options: SandboxOptions = {}): Promise<Host[]> {
  // Listing installs nothing: if there are hosts, their requirements are installed.
  addSystemDirectoriesToPath();
  checkPlatform();
  const state = new StateDirectory(options.directory);
  await mountDisk(state.root, { make: false });
  const records = await readHosts(state);
  if (records.length === 0) return [];
  const subnet = await sandboxSubnet(state);
  return Promise.all(records.map((record) => describe(state, record, subnet)));
}

/** The host of that name; throws an error that lists the existing hosts if there is none. */
export async function findHost(name: string, options: SandboxOptions = {}): Promise<Host> {
  checkHostName(name);
  const hosts = await listHosts(options);
  return hosts.find((host) => host.name === name) ?? noSuchHost(name, hosts);
}

/** Reboots a host in an orderly way and returns it when it has booted again. */
export async function rebootHost(name: string, options: SandboxOptions = {}): Promise<Host> {
  const { state, progress } = await openSandbox(options);
  return withLock(state, `host-${name}`, progress, async () => {
    const record = await existingHost(state, name);
    const container = containerOf(state, record);
    const subnet = await sandboxSubnet(state);
    const before = await leaderOf(container);
    progress(`rebooting ${name}`);
    await signalReboot(container);
    const deadline = Date.now() + 300_000;
    while ((await leaderOf(container)) === before) {
      if (Date.now() > deadline) throw new SandboxError(`the host ${name} did not shut down within 300 s`);
      await sleep(50);
    }
    await waitUntilReady(container, addressIn(subnet, record.index), sshConfigFile(state), progress);
    return describe(state, record, subnet);
  });
}

/**
 * Ends every process of a host at once, like a power cut; `upHost` boots it again from the same disk. Unlike
 * a real power cut, written data that was not yet synced is kept, because this machine's page cache survives.
 */
export async function powerCutHost(name: string, options: SandboxOptions = {}): Promise<void> {
  const { state, progress } = await openSandbox(options);
  await withLock(state, `host-${name}`, progress, async () => {
    const record = await existingHost(state, name);
    await killContainer(state, containerOf(state, record));
  });
}

/**
 * Issues a server certificate of the sandbox's CA: `fullchain.pem` and `privkey.pem` (0600) in `outDirectory`.
 * Returns false and changes nothing if the existing certificate is for exactly these names and valid for 30 days.
 */
export async function issueCertificate(
  names: readonly string[],
  outDirectory: string,
  options: SandboxOptions = {},
): Promise<boolean> {
  if (names.length === 0) throw new SandboxError("a certificate needs at least one name");
  const { state, progress } = await openSandbox(options);
  return withLock(state, "shared", progress, () => issue(state, names, outDirectory));
}

/** The sandbox's /24 in CIDR notation, chosen at first use so that it collides with no route of this machine. */
export async function sandboxNetwork(options: SandboxOptions = {}): Promise<string> {
  const { state, progress } = await openSandbox(options);
  return withLock(state, "shared", progress, () => sandboxSubnet(state));
}

/** Path of the ssh client configuration with an entry for each host. */
export async function sshConfig(options: SandboxOptions = {}): Promise<string> {
  const { state, progress } = await openSandbox(options);
  await withLock(state, "shared", progress, async () => syncNames(state, await sandboxSubnet(state)));
  return sshConfigFile(state);
}

async function makeHost(
  state: StateDirectory,
  wanted: Omit<HostRecord, "index">,
  tree: string | undefined,
  progress: Progress,
): Promise<HostRecord> {
  const { name, suite, dnsNames } = wanted;
  await removeHalfHosts(state);
  const ca = await withLock(state, "shared", progress, () => ensureCa(state));
  if (tree === undefined) await copyOf(state, suite, name, progress);
  else await copyImage(state, name, tree);
  return withLock(state, "shared", progress, async () => {
    const others = await readHosts(state);
    checkNamesAreFree(name, dnsNames, others);
    for (const other of others) await keepPackages(state, other);
    const index = freeIndex(others.map((other) => other.index));
    if (index === undefined)
      throw new SandboxError("all 253 addresses of the sandbox are in use\n  fix: end hosts with down");
    const record = { ...wanted, index };
    await createHost(state, record, ca.certificate);
    return record;
  });
}

/** A copy of the suite's image for a new host, created in parallel with other copies; the first call on this machine builds the image. */
async function copyOf(state: StateDirectory, suite: Suite, name: string, progress: Progress): Promise<void> {
  const lock = `image-${suite}`;
  const image = await imageOf(state, suite);
  // Another checkout with another recipe may remove the image between the two locks.
  for (let copied = false; !copied; ) {
    await withLock(state, lock, progress, () => ensureImage(state, suite, progress));
    copied = await withSharedLock(state, lock, progress, async () => {
      if (!(await exists(image))) return false;
      await copyImage(state, name, image);
      return true;
    });
  }
}

async function existingHost(state: StateDirectory, name: string): Promise<HostRecord> {
  checkHostName(name);
  return (await readHost(state, name)) ?? noSuchHost(name, await readHosts(state));
}

function noSuchHost(name: string, hosts: readonly { name: string }[]): never {
  const names = hosts.map((host) => host.name).join(", ") || "none";
  throw new SandboxError(`there is no host ${name}; there are: ${names}\n  fix: create it: up ${name}`);
}

async function describe(state: StateDirectory, record: HostRecord, subnet: string): Promise<Host> {
  const container = containerOf(state, record);
  return {
    name: record.name,
    suite: record.suite,
    running: await isRunning(container),
    address: addressIn(subnet, record.index),
    dnsNames: record.dnsNames,
    sshConfigFile: sshConfigFile(state),
    knownHostsFile: knownHostsFile(state),
    identityFile: state.path("ssh", "id_ed25519"),
    caFile: state.path("ca", "ca.crt"),
    // Not the realpath of the root itself: another command may be removing this very host.
    root: path.join(await fs.realpath(state.path("hosts")), record.name, "root"),
  };
}
