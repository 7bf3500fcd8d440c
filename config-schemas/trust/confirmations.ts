import { createHash } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { visible } from "../../provider/text";
import { DYNU_API } from "../dns/schema";
import { readFiles, resolveFile } from "../files";
import type { HostConfig } from "../hosts/schema";
import type { Path } from "../language/fault";
import type { PlainSecrets } from "../secrets";
import type { StackConfig } from "../stack";
import { TAILSCALE_CONTROL_URL } from "../tunnel/schema";

/**
 * What of a stack file the operator has to confirm on their own machine, because the file may be somebody else's: what decides
 * how that machine behaves, which of its files are read, and where given secrets go. See docs/decisions/stack-files-are-data.md.
 */
export interface Confirmation {
  path: Path;
  /** What happens, in one line, with all that matters for it: another text has to be confirmed again. */
  says: string;
  /**
   * `look`: it happens in previews already. `look again`: a first preview only looks at a host that the operator's ssh knows, and
   * sends nothing; another host in its place has to be confirmed before. `change`: it happens in `up` only.
   */
  when: "look" | "look again" | "change";
}

/**
 * Everything in a stack that has to be confirmed. Reads the files that decide it, and nothing else.
 * @param secrets only which there are counts, not their values
 */
export function confirmationsOf(
  config: StackConfig,
  secrets: PlainSecrets,
  projectDirectory: string,
): Confirmation[] {
  return [
    ...Object.entries(config.hosts).flatMap(([name, host]) => [
      ...reach(name, host, projectDirectory),
      ...destination(name, host, secrets),
    ]),
    ...secretsElsewhere(config, secrets),
    ...filesOutside(config, projectDirectory),
  ];
}

/** What decides how this machine behaves on the way to a host. */
function reach(name: string, host: HostConfig, projectDirectory: string): Confirmation[] {
  const at = (key: string, says: string): Confirmation => ({
    path: ["hosts", name, key],
    says,
    when: "look",
  });
  const { sshConfigFile, knownHostsFile, identityFile, jump, transport } = host;
  return [
    ...(transport === "local" ? [at("transport", "this machine itself is looked at and changed")] : []),
    ...(sshConfigFile === undefined
      ? []
      : [
          at("sshConfigFile", `ssh takes its configuration from ${content(projectDirectory, sshConfigFile)}`),
        ]),
    ...(knownHostsFile === undefined
      ? []
      : [at("knownHostsFile", `ssh trusts the host keys in ${content(projectDirectory, knownHostsFile)}`)]),
    ...(identityFile === undefined
      ? []
      : [at("identityFile", `ssh logs in with the key ${place(projectDirectory, identityFile)}`)]),
    ...(jump === undefined ? [] : [at("jump", `ssh goes through ${jump}`)]),
  ];
}

/** Which machine a host is: it is logged in to, and gets every secret that a service on it needs; the one for sudo in previews, too. */
function destination(name: string, host: HostConfig, secrets: PlainSecrets): Confirmation[] {
  if (host.transport === "local") return [];
  const { user, address, port } = host;
  const where = `${user === undefined ? "" : `${user}@`}${address}${port === undefined ? "" : `, port ${port}`}`;
  return [
    {
      path: ["hosts", name, "address"],
      says: `Hearth logs in to ${where} and sends your secrets for ${name} there`,
      when: Object.hasOwn(secrets.sudo, name) ? "look" : "look again",
    },
  ];
}

/** Secrets that somebody else than a host gets. The services' own addresses, which Hearth knows, need no word. */
function secretsElsewhere({ homeserver, tunnel, dns }: StackConfig, secrets: PlainSecrets): Confirmation[] {
  const { email } = homeserver;
  const all: Confirmation[] = [];
  if (email !== undefined && secrets.smtp !== undefined)
    all.push({
      path: ["homeserver", "email", "smtpHost"],
      says: `the password for mail is sent to ${email.smtpHost}, port ${email.smtpPort}`,
      when: "change",
    });
  if (tunnel !== undefined && secrets.tunnel !== undefined && tunnel.controlUrl !== TAILSCALE_CONTROL_URL)
    all.push({
      path: ["tunnel", "controlUrl"],
      says: `the auth key of the tunnel is sent to ${tunnel.controlUrl}`,
      when: "change",
    });
  if (dns !== undefined && secrets.dynu !== undefined && dns.apiUrl !== DYNU_API)
    all.push({
      path: ["dns", "apiUrl"],
      says: `the API key for DNS is sent to ${dns.apiUrl}`,
      when: "look",
    });
  return all;
}

/** Files whose content becomes part of the plan or goes to a host; a path may lead anywhere on this machine. */
function filesOutside(config: StackConfig, projectDirectory: string): Confirmation[] {
  return readFiles(config).flatMap(([path, file]): Confirmation[] => {
    const found = locate(projectDirectory, file);
    if (found === undefined || found.inside) return [];
    return [{ path, says: `${shown(found.file)} is read, a file outside of this checkout`, when: "look" }];
  });
}

interface Located {
  /** Its real path: links are followed. */
  file: string;
  /** Whether it is in the checkout, where another branch may change it. */
  inside: boolean;
}

/** Where a file really is; undefined when there is none, which is a fault of its own. */
function locate(projectDirectory: string, file: string): Located | undefined {
  try {
    const real = realpathSync(resolveFile(projectDirectory, file));
    return { file: real, inside: isBelow(real, realpathSync(projectDirectory)) };
  } catch {
    return undefined;
  }
}

function isBelow(file: string, folder: string): boolean {
  return resolve(file).startsWith(`${resolve(folder)}${sep}`);
}

/** A file by its path; in the checkout relative to it, so that every clone says the same. */
function place(projectDirectory: string, file: string): string {
  const found = locate(projectDirectory, file);
  if (found === undefined) return shown(file);
  return shown(found.inside ? `./${relative(realpathSync(projectDirectory), found.file)}` : found.file);
}

/** The same, with its content: a branch may bring another one; what is elsewhere is the operator's own. */
function content(projectDirectory: string, file: string): string {
  const found = locate(projectDirectory, file);
  const where = place(projectDirectory, file);
  return found?.inside ? `${where} (SHA-256 ${digestOf(found.file)})` : where;
}

function digestOf(file: string): string {
  try {
    return createHash("sha256").update(readFileSync(file)).digest("hex");
  } catch {
    // A fault of its own, told with the others.
    return "unknown";
  }
}

function shown(file: string): string {
  return visible(file);
}
