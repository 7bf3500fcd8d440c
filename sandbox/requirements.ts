import { constants } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { messageOf, SandboxError } from "./errors";
import { run } from "./process";
import type { Progress } from "./state";

/** The programs that the sandbox calls on this machine, and their Debian packages. */
const PROGRAMS: Readonly<Record<string, string>> = {
  mmdebstrap: "mmdebstrap",
  "systemd-nspawn": "systemd-container",
  nft: "nftables",
  ip: "iproute2",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  openssl: "openssl",
  // The command for a restore decrypts with it.
  age: "age",
  flock: "util-linux",
  setpriv: "util-linux",
  unshare: "util-linux",
  "mkfs.btrfs": "btrfs-progs",
};
/** Without this keyring an Ubuntu machine cannot check Debian's archives. */
const FILES: Readonly<Record<string, string>> = {
  "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
  "/etc/ssl/certs/ca-certificates.crt": "ca-certificates",
};

/** Throws unless this is Linux and the user is root. */
export function checkPlatform(): void {
  if (process.platform !== "linux") {
    throw new SandboxError(
      `the sandbox needs Linux (it boots systemd in namespaces); this is ${process.platform}.\n  fix: use a Linux virtual machine`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new SandboxError(
      "the sandbox needs root (namespaces, a bridge, a firewall table)\n  fix: run it with sudo",
    );
  }
}

/** apt does not wait for another update of its lists, and several sandboxes may need packages at the same time. */
const LOCK = "/run/hearth-sandbox-packages.lock";

/** Checks the requirements of the sandbox and installs missing packages. Throws one error that lists everything missing. */
export async function ensureRequirements(progress: Progress): Promise<void> {
  checkPlatform();
  const missing = await missingPackages();
  if (missing.length === 0) return;
  if (!(await findProgram("apt-get"))) {
    throw new SandboxError(
      `the sandbox needs packages that are not installed: ${missing.join(", ")} (Debian's names). ` +
        "There is no apt-get here.\n  fix: install them with this system's package manager",
    );
  }
  progress(`installing ${missing.join(", ")}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  try {
    await run("flock", [LOCK, "apt-get", "-q", "update"], { env });
    const install = ["-qy", "-o", "DPkg::Lock::Timeout=600", "install", "--no-install-recommends"];
    await run("flock", [LOCK, "apt-get", ...install, ...missing], { env });
  } catch (error) {
    throw new SandboxError(
      `the sandbox needs packages that could not be installed: ${missing.join(", ")}.\n${messageOf(error)}`,
    );
  }
}

/** Adds sbin to PATH, because some programs are there and not every user's PATH contains it. */
export function addSystemDirectoriesToPath(): void {
  const parts = (process.env.PATH ?? "").split(":").filter(Boolean);
  for (const directory of ["/usr/sbin", "/sbin"]) if (!parts.includes(directory)) parts.push(directory);
  process.env.PATH = parts.join(":");
}

async function missingPackages(): Promise<string[]> {
  const missing = new Set<string>();
  for (const [program, owner] of Object.entries(PROGRAMS))
    if (!(await findProgram(program))) missing.add(owner);
  for (const [file, owner] of Object.entries(FILES)) if (!(await readable(file))) missing.add(owner);
  return [...missing];
}

async function findProgram(program: string): Promise<string | undefined> {
  for (const directory of (process.env.PATH ?? "").split(":")) {
    const candidate = path.join(directory, program);
    if (await readable(candidate, constants.X_OK)) return candidate;
  }
  return undefined;
}

function readable(file: string, mode: number = constants.R_OK): Promise<boolean> {
  return fs.access(file, mode).then(
    () => true,
    () => false,
  );
}
