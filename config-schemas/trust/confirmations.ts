import { createHash } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { visible } from "../../provider/text";
import type { BackupConfig, BackupTarget } from "../backup/schema";
import { DYNU_API } from "../dns/schema";
import { readFiles, resolveFile } from "../files";
import type { HostConfig } from "../hosts/schema";
import type { Path } from "../language/fault";
import type { PlainSecrets } from "../secrets";
import type { StackConfig } from "../stack";
import { TAILSCALE_CONTROL_URL } from "../tunnel/schema";

/**
 * The parts of a stack file that the operator must confirm on their own machine, because somebody else may have written the file:
 * what changes the behaviour of that machine, which of its files are read, and where given secrets are sent. See
 * docs/decisions/stack-files-are-data.md.
 */
export interface Confirmation {
  path: Path;
  /** What happens, in one line with all relevant details: a different text must be confirmed again. */
  says: string;
  /**
   * `look`: it already happens in previews. `look again`: a first preview only reads a host that the operator's ssh knows, and
   * sends no secret; a later change to another host must be confirmed before. `change`: it happens in `up` only.
   */
  when: "look" | "look again" | "change";
}

/**
 * Everything in a stack that must be confirmed. Reads only the files that decide it.
 * @param secrets only the names matter, not the values
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

/** Settings that change how this machine connects to a host. */
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
      : [at("identityFile", `ssh logs in with the key ${pathOf(projectDirectory, identityFile)}`)]),
    ...(jump === undefined ? [] : [at("jump", `ssh goes through ${jump}`)]),
  ];
}

/** The address of a host: Hearth logs in there and sends every secret that a service on it needs; the sudo password also in previews. */
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

/** Secrets that are sent to others than a host. The services' own addresses, which Hearth knows, need no confirmation. */
function secretsElsewhere(config: StackConfig, secrets: PlainSecrets): Confirmation[] {
  const { homeserver, tunnel, dns, backup } = config;
  const { email } = homeserver;
  const all: Confirmation[] = [];
  if (email !== undefined && secrets.smtp !== undefined)
    all.push({
      path: ["homeserver", "email", "smtpHost"],
      says: `the password for mail is sent to ${email.smtpHost}, port ${email.smtpPort}`,
      when: "change",
    });
  if (
    tunnel?.kind === "tailscale-funnel" &&
    secrets.tunnel !== undefined &&
    tunnel.controlUrl !== TAILSCALE_CONTROL_URL
  )
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
  if (backup !== undefined) all.push(...backupsElsewhere(backup));
  return all;
}

/** Who can read the backups, and where the host logs in with the secret of their target. */
function backupsElsewhere({ recipient, target }: BackupConfig): Confirmation[] {
  const at = (key: string, says: string): Confirmation => ({ path: ["backup", key], says, when: "change" });
  const where = placeOf(target);
  return [
    at("recipient", `who has the private key of ${recipient} can read all backups`),
    ...(where === undefined ? [] : [at("target", `the secret for backups is sent to ${where}`)]),
  ];
}

function placeOf(target: BackupTarget): string | undefined {
  switch (target.kind) {
    case "path":
      return undefined;
    case "sftp":
      return `${target.user}@${target.server}, port ${target.port}`;
    case "rest-server":
      return target.url;
    case "s3":
      return `${target.endpoint}, bucket ${target.bucket}`;
  }
}

/** Files whose content becomes part of the plan or is sent to a host; a path may lead anywhere on this machine. */
function filesOutside(config: StackConfig, projectDirectory: string): Confirmation[] {
  return readFiles(config).flatMap(([path, file]): Confirmation[] => {
    const found = locate(projectDirectory, file);
    if (found === undefined || found.inside) return [];
    return [{ path, says: `${shown(found.file)} is read, a file outside of this checkout`, when: "look" }];
  });
}

interface Located {
  /** Its real path, with links resolved. */
  file: string;
  /** Whether the file is in the checkout, where another branch may change it. */
  inside: boolean;
}

/** The real path of a file; undefined when it does not exist, which is reported as a fault elsewhere. */
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

/** A file by its path; in the checkout relative to it, so that every clone has the same text. */
function pathOf(projectDirectory: string, file: string): string {
  const found = locate(projectDirectory, file);
  if (found === undefined) return shown(file);
  return shown(found.inside ? `./${relative(realpathSync(projectDirectory), found.file)}` : found.file);
}

/** The same, with a digest of its content, because a branch may change it; files elsewhere belong to the operator. */
function content(projectDirectory: string, file: string): string {
  const found = locate(projectDirectory, file);
  const where = pathOf(projectDirectory, file);
  return found?.inside ? `${where} (SHA-256 ${digestOf(found.file)})` : where;
}

function digestOf(file: string): string {
  try {
    return createHash("sha256").update(readFileSync(file)).digest("hex");
  } catch {
    // Reported as a fault elsewhere.
    return "unknown";
  }
}

function shown(file: string): string {
  return visible(file);
}
