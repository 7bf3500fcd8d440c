import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { Connection } from "../contract/connection";
import { ProviderError } from "../protocol/errors";

/** Seconds until a TCP connection counts as failed. */
const CONNECT_TIMEOUT = 10;
/** Seconds that the shared connection outlives its last session, so that preview and update share one. */
const KEEP = 20;
/** sun_path holds 104 bytes on the smallest system; ssh adds a dot and 16 characters while it makes the socket. */
const SOCKET_PATH_LIMIT = 104 - 17 - 1;

/** Options that hold for every ssh we start: never ask, always enforce the host key, forward nothing. */
const COMMON = [
  "BatchMode=yes",
  "StrictHostKeyChecking=yes",
  "UpdateHostKeys=no",
  `ConnectTimeout=${CONNECT_TIMEOUT}`,
  "ConnectionAttempts=1",
  "ServerAliveInterval=10",
  "ServerAliveCountMax=3",
  "ForwardAgent=no",
  "ForwardX11=no",
  "ClearAllForwardings=yes",
  "PermitLocalCommand=no",
  "RemoteCommand=none",
  "RequestTTY=no",
  "EscapeChar=none",
  "LogLevel=ERROR",
];

/** `ssh` that logs in unless the shared connection is there already, and leaves it behind for {@link KEEP} seconds. */
export function loginArguments(connection: Connection, command: string): string[] {
  const options = [
    ...COMMON,
    "ControlMaster=auto",
    `ControlPersist=${KEEP}`,
    `ControlPath=${controlPath(connection)}`,
  ];
  return sshArguments(connection, destinationOptions(connection), options, command);
}

/** `ssh` on a separate connection: next to a shared one, ssh throws away what a jump host or proxy command says. */
export function plainArguments(connection: Connection, command: string): string[] {
  const options = [...COMMON, "ControlMaster=no", "ControlPath=none"];
  return sshArguments(connection, destinationOptions(connection), options, command);
}

/** `ssh` over the shared connection only: without one it fails at once instead of logging in a second time. */
export function sessionArguments(connection: Connection, command: string): string[] {
  const options = [
    ...COMMON,
    "ControlMaster=no",
    `ControlPath=${controlPath(connection)}`,
    "ProxyCommand=false",
  ];
  return sshArguments(connection, destinationOptions(connection, false), options, command);
}

function sshArguments(connection: Connection, way: string[], options: string[], command: string): string[] {
  return ["ssh", ...way, ...flags(options), "--", destination(connection), command];
}

/** Asks whether the shared connection is there. */
export function probeArguments(connection: Connection): string[] {
  const options = ["BatchMode=yes", `ControlPath=${controlPath(connection)}`];
  return [
    "ssh",
    ...destinationOptions(connection, false),
    ...flags(options),
    "-O",
    "check",
    "--",
    destination(connection),
  ];
}

/** The socket of the shared connection: one per way of reaching a host, in a directory that only we can enter. */
export function controlPath(connection: Connection): string {
  const { address, user, port, sshConfigFile, identityFile, knownHostsFile, jump } = connection;
  const way = JSON.stringify([address, user, port, sshConfigFile, identityFile, knownHostsFile, jump]);
  const name = createHash("sha256").update(way).digest("hex").slice(0, 16);
  return join(socketDirectory(), name);
}

function socketDirectory(): string {
  const { uid } = userInfo();
  const candidates = [process.env.XDG_RUNTIME_DIR, tmpdir(), "/tmp"];
  for (const base of candidates) {
    if (!base) continue;
    const directory = join(base, `hearth-${uid}`);
    if (Buffer.byteLength(join(directory, "0".repeat(16))) > SOCKET_PATH_LIMIT) continue;
    if (isPrivate(directory, uid)) return directory;
  }
  throw new ProviderError(
    "FAILED_PRECONDITION",
    `no directory for ssh's shared connections: ${candidates.filter(Boolean).join(", ")} cannot be used
  each needs a directory hearth-${uid} that belongs to you with mode 0700, and a short path
  fix: point XDG_RUNTIME_DIR at a short path of your own, or remove what stands in the way`,
  );
}

function isPrivate(directory: string, uid: number): boolean {
  try {
    mkdirSync(directory, { mode: 0o700, recursive: true });
    const found = lstatSync(directory);
    return found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0;
  } catch {
    return false;
  }
}

function destination(connection: Connection): string {
  return connection.address ?? "";
}

/** `direct`: whether ssh may open the connection itself; a jump would come in the way of `ProxyCommand=false`. */
function destinationOptions(connection: Connection, direct = true): string[] {
  const options: string[] = [];
  if (connection.sshConfigFile) options.push("-F", connection.sshConfigFile);
  if (connection.user) options.push("-l", connection.user);
  if (connection.port) options.push("-p", String(connection.port));
  if (connection.identityFile) options.push("-i", connection.identityFile, "-o", "IdentitiesOnly=yes");
  if (connection.knownHostsFile) options.push("-o", `UserKnownHostsFile="${connection.knownHostsFile}"`);
  if (connection.jump && direct) options.push("-J", connection.jump);
  return options;
}

function flags(options: string[]): string[] {
  return options.flatMap((option) => ["-o", option]);
}
