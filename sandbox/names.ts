import { SandboxError } from "./errors";

/** The data of a host for the name files. */
export interface NamedHost {
  name: string;
  address: string;
  dnsNames: readonly string[];
  /** Its public host key: `ssh-ed25519 AAAA…`. */
  hostKey: string;
}

const HOST_NAME = /^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/;
const DNS_NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const BEGIN = "# hearth-sandbox begin: the sandbox's hosts, rewritten as they come and go";
const END = "# hearth-sandbox end";

/** Throws unless `name` is valid for a host: it becomes a hostname and a directory. */
export function checkHostName(name: string): void {
  if (HOST_NAME.test(name) && name !== "localhost") return;
  throw new SandboxError(
    `"${name}" cannot be a host's name: 1 to 32 lower-case letters, digits and hyphens, starting with a letter.`,
  );
}

/** Throws unless every entry is a DNS name (lower case, no trailing dot). */
export function checkDnsNames(names: readonly string[]): void {
  for (const name of names) {
    if (!DNS_NAME.test(name)) {
      throw new SandboxError(
        `"${name}" is not a DNS name: labels of lower-case letters, digits and hyphens, separated by dots.`,
      );
    }
  }
}

/** `/etc/hosts` of one host: `present` with the sandbox's block replaced (or added at its end). */
export function renderHostsFile(present: string, hosts: readonly NamedHost[]): string {
  const kept: string[] = [];
  let inBlock = false;
  for (const line of present.split("\n")) {
    if (line === BEGIN) inBlock = true;
    else if (line === END) inBlock = false;
    else if (!inBlock) kept.push(line);
  }
  const lines = hosts.map((host) => [host.address, ...host.dnsNames, host.name].join(" "));
  return `${[kept.join("\n").trimEnd(), BEGIN, ...lines, END].join("\n").trimStart()}\n`;
}

/** The known_hosts file of the sandbox: every name and address of a host. */
export function renderKnownHosts(hosts: readonly NamedHost[]): string {
  return hosts
    .map((host) => `${[host.name, host.address, ...host.dnsNames].join(",")} ${host.hostKey}\n`)
    .join("");
}

/** The ssh client configuration: `ssh -F <file> NAME`; it uses none of the user's own files. */
export function renderSshConfig(
  hosts: readonly NamedHost[],
  files: { identityFile: string; knownHostsFile: string },
): string {
  const entries = hosts.map((host) => {
    const lines = [
      `Host ${[host.name, ...host.dnsNames, host.address].join(" ")}`,
      `  HostName ${host.address}`,
      "  User root",
      `  IdentityFile "${files.identityFile}"`,
      "  IdentitiesOnly yes",
      "  IdentityAgent none",
      `  UserKnownHostsFile "${files.knownHostsFile}"`,
      "  GlobalKnownHostsFile /dev/null",
      "  StrictHostKeyChecking yes",
      "  BatchMode yes",
      "  ConnectTimeout 10",
    ];
    return `${lines.join("\n")}\n`;
  });
  return entries.join("\n");
}

/** Throws when a DNS name or a host name in `wanted` already leads to another host. */
export function checkNamesAreFree(
  name: string,
  wanted: readonly string[],
  others: readonly { name: string; dnsNames: readonly string[] }[],
): void {
  for (const other of others) {
    if (other.name === name) continue;
    const taken = [name, ...wanted].find((entry) => entry === other.name || other.dnsNames.includes(entry));
    if (taken) {
      throw new SandboxError(
        `the name ${taken} already leads to the host ${other.name}\n  fix: choose another name, or end that host: down ${other.name}`,
      );
    }
  }
}
