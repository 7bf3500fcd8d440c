import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import type { Fault, Path } from "./fault";
import type { StackConfig } from "./stack";

/**
 * Where a file named in the stack file is: absolute, below the home directory (`~/…`), else relative to the project.
 */
export function resolveFile(projectDirectory: string, file: string): string {
  return file.startsWith("~/") ? resolve(homedir(), file.slice(2)) : resolve(projectDirectory, file);
}

/** The public names that the certificate must cover. */
function certificateNames(config: Pick<StackConfig, "homeserver" | "delegation">): string[] {
  const { serverName, publicHost } = config.homeserver;
  return config.delegation.serve === "here" ? [...new Set([publicHost, serverName])] : [publicHost];
}

/** The fault that keeps us from reading a file, if there is one. */
function accessFault(projectDirectory: string, file: string, path: Path): Fault | undefined {
  const place = resolveFile(projectDirectory, file);
  try {
    accessSync(place, constants.R_OK);
    if (!statSync(place).isDirectory()) return undefined;
    return { path, value: file, problem: "names a directory, not a file", fix: "name the file in it" };
  } catch (error) {
    const code =
      typeof error === "object" && error !== null && "code" in error ? String(error.code) : "unknown error";
    const problem =
      code === "ENOENT" ? "names a file that does not exist" : `names a file that cannot be read (${code})`;
    return { path, value: file, problem, fix: `put the file at ${place}, or change the path` };
  }
}

function certificateFrom(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}

function privateKeyFrom(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    return undefined;
  }
}

function certificateFaults(config: StackConfig, certificate: X509Certificate, now: Date): Fault[] {
  const path = ["certificates", "certificateFile"];
  const value = config.certificates?.certificateFile;
  const faults: Fault[] = certificateNames(config)
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
      problem: `is a certificate that ended on ${certificate.validTo}`,
      fix: "renew it",
    });
  return faults;
}

function notPem(path: Path, file: string, what: string, fix: string): Fault {
  return { path, value: file, problem: `is not ${what} in PEM form`, fix };
}

/** Faults of certificate and key, both readable. */
function keyPairFaults(config: StackConfig, root: string, now: Date): Fault[] {
  if (config.certificates === undefined) return [];
  const { certificateFile, privateKeyFile } = config.certificates;
  const keyPath = ["certificates", "privateKeyFile"];
  const certificate = certificateFrom(readFileSync(resolveFile(root, certificateFile), "utf8"));
  const key = privateKeyFrom(readFileSync(resolveFile(root, privateKeyFile), "utf8"));
  const faults: Fault[] = [];
  if (certificate === undefined)
    faults.push(
      notPem(
        ["certificates", "certificateFile"],
        certificateFile,
        "a certificate",
        "the file has to begin with the server's own certificate, -----BEGIN CERTIFICATE-----",
      ),
    );
  if (key === undefined)
    faults.push(
      notPem(
        keyPath,
        privateKeyFile,
        "an unencrypted private key",
        "the file has to hold one -----BEGIN PRIVATE KEY-----; decrypt it with `openssl pkey`",
      ),
    );
  if (certificate) faults.push(...certificateFaults(config, certificate, now));
  if (certificate && key && !certificate.checkPrivateKey(key))
    faults.push({
      path: keyPath,
      value: privateKeyFile,
      problem: "does not belong to the certificate",
      fix: "use the key that the certificate was made for",
    });
  return faults;
}

const SSH_FILES = ["sshConfigFile", "identityFile", "knownHostsFile"] as const;

type NamedFile = [Path, string];

function present(files: [Path, string | undefined][]): NamedFile[] {
  return files.flatMap(([path, file]): NamedFile[] => (file === undefined ? [] : [[path, file]]));
}

/** The files of a stack that ssh reads, by their place in the stack file. */
function sshFiles(config: StackConfig): NamedFile[] {
  return present(
    Object.entries(config.hosts).flatMap(([name, host]) =>
      SSH_FILES.map((key): [Path, string | undefined] => [["hosts", name, key], host[key]]),
    ),
  );
}

/** The files of a stack that Hearth itself reads, by their place in the stack file. */
export function readFiles(config: StackConfig): NamedFile[] {
  return present([
    [["verification", "caFile"], config.verification.caFile],
    [["certificates", "certificateFile"], config.certificates?.certificateFile],
    [["certificates", "privateKeyFile"], config.certificates?.privateKeyFile],
    ...(["spaces", "rooms"] as const).flatMap((kind) =>
      Object.entries(config.rooms[kind]).map(([key, { avatar }]): [Path, string | undefined] => [
        ["rooms", kind, key, "avatar"],
        avatar,
      ]),
    ),
  ]);
}

/**
 * Faults in the files that a stack names: missing, unreadable, a certificate that does not fit. Reads files, nothing else.
 * @param projectDirectory where relative paths start
 * @param now for a certificate's end
 */
export function fileFaults(config: StackConfig, projectDirectory: string, now: Date): Fault[] {
  const faults = [...sshFiles(config), ...readFiles(config)].flatMap(
    ([path, file]) => accessFault(projectDirectory, file, path) ?? [],
  );
  if (faults.some((fault) => fault.path[0] === "certificates")) return faults;
  return [...faults, ...keyPairFaults(config, projectDirectory, now)];
}
