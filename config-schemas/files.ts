import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { accessSync, constants, readFileSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { publicNames } from "./certificates/names";
import type { CertificateFiles } from "./certificates/schema";
import type { Fault, Path } from "./language/fault";
import { certificatesIn, isPicture } from "./public-files";
import type { StackConfig } from "./stack";

/**
 * The absolute path of a file named in the stack file: absolute, below the home directory (`~/…`), else relative to the project.
 */
export function resolveFile(projectDirectory: string, file: string): string {
  return file.startsWith("~/") ? resolve(homedir(), file.slice(2)) : resolve(projectDirectory, file);
}

/** The fault of a file that Hearth cannot read; undefined when it can. */
function accessFault(projectDirectory: string, file: string, path: Path): Fault | undefined {
  const absolute = resolveFile(projectDirectory, file);
  try {
    accessSync(absolute, constants.R_OK);
    if (!statSync(absolute).isDirectory()) return undefined;
    return {
      path,
      value: file,
      problem: "names a directory, not a file",
      fix: "write the path of the file in it",
    };
  } catch (error) {
    const code =
      typeof error === "object" && error !== null && "code" in error ? String(error.code) : "unknown error";
    const problem =
      code === "ENOENT" ? "names a file that does not exist" : `names a file that cannot be read (${code})`;
    return { path, value: file, problem, fix: `put the file at ${absolute}, or change the path` };
  }
}

/** Accepts a file that contains only certificates: anything else in it would become public too. */
function certificatesFrom(root: string, file: string, path: Path): X509Certificate | Fault {
  try {
    const { certificates, others } = certificatesIn(readFileSync(resolveFile(root, file), "utf8"));
    const [own] = certificates;
    if (own === undefined)
      return notPem(
        path,
        file,
        "a certificate",
        "name a file that begins with the certificate, -----BEGIN CERTIFICATE-----",
      );
    if (others.length === 0) return new X509Certificate(own);
    return {
      path,
      value: file,
      problem: `contains more than certificates: ${others.join(", ")}; this file becomes public`,
      fix: "name a file with only certificates (fullchain.pem), and keep keys in separate files",
    };
  } catch {
    return notPem(path, file, "a certificate", "get the file again: a certificate in it cannot be read");
  }
}

function isFault(found: X509Certificate | Fault): found is Fault {
  return !(found instanceof X509Certificate);
}

function privateKeyFrom(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    return undefined;
  }
}

function certificateFaults(
  config: StackConfig,
  { certificateFile: value }: CertificateFiles,
  certificate: X509Certificate,
  now: Date,
): Fault[] {
  const path = ["certificates", "certificateFile"];
  const faults: Fault[] = publicNames(config)
    .filter((name) => certificate.checkHost(name, { subject: "never" }) === undefined)
    .map((name) => ({
      path,
      value,
      problem: `is a certificate that does not cover ${name} (it covers ${certificate.subjectAltName ?? "no name"})`,
      fix:
        name === config.homeserver.publicHost
          ? "get a certificate with all public names"
          : "get a certificate with that name too, or write `hearth:delegation: { serve: elsewhere }` if another web server answers there",
    }));
  if (new Date(certificate.validTo) <= now)
    faults.push({
      path,
      value,
      problem: `is a certificate that expired on ${certificate.validTo}`,
      fix: "renew it",
    });
  return faults;
}

function notPem(path: Path, file: string, what: string, fix: string): Fault {
  return { path, value: file, problem: `is not ${what} in PEM form`, fix };
}

/** Faults of a readable certificate and key. */
function keyPairFaults(config: StackConfig, root: string, now: Date): Fault[] {
  if (config.certificates?.source !== "files") return [];
  const { certificateFile, privateKeyFile } = config.certificates;
  const keyPath = ["certificates", "privateKeyFile"];
  const found = certificatesFrom(root, certificateFile, ["certificates", "certificateFile"]);
  const certificate = isFault(found) ? undefined : found;
  const key = privateKeyFrom(readFileSync(resolveFile(root, privateKeyFile), "utf8"));
  const faults: Fault[] = isFault(found) ? [found] : [];
  if (sameFile(resolveFile(root, certificateFile), resolveFile(root, privateKeyFile)))
    faults.push({
      path: keyPath,
      value: privateKeyFile,
      problem: "is the same file as the certificate, so everybody could read the key",
      fix: "put the private key into a separate file",
    });
  if (key === undefined)
    faults.push(
      notPem(
        keyPath,
        privateKeyFile,
        "an unencrypted private key",
        "name a file with one -----BEGIN PRIVATE KEY-----; decrypt an encrypted key with `openssl pkey`",
      ),
    );
  if (certificate) faults.push(...certificateFaults(config, config.certificates, certificate, now));
  if (certificate && key && !certificate.checkPrivateKey(key))
    faults.push({
      path: keyPath,
      value: privateKeyFile,
      problem: "does not match the certificate",
      fix: "use the key that the certificate was issued for",
    });
  return faults;
}

function certificateFileFaults(config: StackConfig, root: string, now: Date): Fault[] {
  const { certificates } = config;
  return certificates?.source === "acme"
    ? authorityFaults(certificates.caFile, "certificates", root)
    : keyPairFaults(config, root, now);
}

/** Whether two paths lead to one file, or to two copies of it. */
function sameFile(one: string, other: string): boolean {
  return realpathSync(one) === realpathSync(other) || readFileSync(one).equals(readFileSync(other));
}

function authorityFaults(file: string | undefined, section: string, root: string): Fault[] {
  if (file === undefined) return [];
  const found = certificatesFrom(root, file, [section, "caFile"]);
  return isFault(found) ? [found] : [];
}

/** Checks the pictures of rooms, because the members of a room can keep them. */
function pictureFaults(config: StackConfig, root: string): Fault[] {
  return readFiles(config).flatMap(([path, file]) =>
    path[0] !== "rooms" || isPicture(file, readFileSync(resolveFile(root, file)))
      ? []
      : [{ path, value: file, problem: "is not a picture of the type in its name", fix: "name a picture" }],
  );
}

const SSH_FILES = ["sshConfigFile", "identityFile", "knownHostsFile"] as const;

type NamedFile = [Path, string];

function present(files: [Path, string | undefined][]): NamedFile[] {
  return files.flatMap(([path, file]): NamedFile[] => (file === undefined ? [] : [[path, file]]));
}

/** The files of a stack that ssh reads, with their paths in the stack file. */
function sshFiles(config: StackConfig): NamedFile[] {
  return present(
    Object.entries(config.hosts).flatMap(([name, host]) =>
      SSH_FILES.map((key): [Path, string | undefined] => [["hosts", name, key], host[key]]),
    ),
  );
}

function certificateSources({ certificates }: StackConfig): [Path, string | undefined][] {
  const at = (key: string): Path => ["certificates", key];
  switch (certificates?.source) {
    case "files":
      return [
        [at("certificateFile"), certificates.certificateFile],
        [at("privateKeyFile"), certificates.privateKeyFile],
      ];
    case "acme":
      return [[at("caFile"), certificates.caFile]];
    default:
      return [];
  }
}

/** The files of a stack that Hearth itself reads, with their paths in the stack file. */
export function readFiles(config: StackConfig): NamedFile[] {
  return present([
    [["verification", "caFile"], config.verification.caFile],
    ...certificateSources(config),
    ...(["spaces", "rooms"] as const).flatMap((kind) =>
      Object.entries(config.rooms[kind]).map(([key, { avatar }]): [Path, string | undefined] => [
        ["rooms", kind, key, "avatar"],
        avatar?.file,
      ]),
    ),
  ]);
}

/**
 * Finds faults in the files that a stack names: missing, unreadable, a certificate that does not match. Reads files, nothing else.
 * @param projectDirectory relative paths start here
 * @param now the time to compare with a certificate's end
 */
export function fileFaults(config: StackConfig, projectDirectory: string, now: Date): Fault[] {
  const faults = [...sshFiles(config), ...readFiles(config)].flatMap(
    ([path, file]) => accessFault(projectDirectory, file, path) ?? [],
  );
  const unreadable = (section: string) => faults.some((fault) => fault.path[0] === section);
  return [
    ...faults,
    ...(unreadable("verification")
      ? []
      : authorityFaults(config.verification.caFile, "verification", projectDirectory)),
    ...(unreadable("rooms") ? [] : pictureFaults(config, projectDirectory)),
    ...(unreadable("certificates") ? [] : certificateFileFaults(config, projectDirectory, now)),
  ];
}
