import { createHash } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";

/** Debian releases for hosts. */
export const SUITES = ["trixie", "bookworm"] as const;
export type Suite = (typeof SUITES)[number];

/** Called with one line of text for each step that takes a noticeable time. */
export type Progress = (message: string) => void;

/**
 * The directory of one sandbox: images, hosts, its CA, its ssh key. It is outside the checkout, so that
 * `git clean` keeps it and a second checkout can share it. Two directories are two separate sandboxes:
 * the names of bridge, firewall table and containers contain a tag derived from the directory.
 */
export class StateDirectory {
  readonly root: string;
  /** Six hex digits, unique to this directory. */
  readonly tag: string;

  /** @param root default: `HEARTH_SANDBOX_DIR`, else `/var/lib/hearth-sandbox` */
  constructor(root = process.env.HEARTH_SANDBOX_DIR || "/var/lib/hearth-sandbox") {
    this.root = path.resolve(root);
    this.tag = createHash("sha256").update(this.root).digest("hex").slice(0, 6);
  }

  get bridge(): string {
    return `hearth-${this.tag}`;
  }

  get firewallTable(): string {
    return `hearth_sandbox_${this.tag}`;
  }

  path(...parts: string[]): string {
    return path.join(this.root, ...parts);
  }

  hostDirectory(name: string): string {
    return this.path("hosts", name);
  }

  /** Creates the directory (0700: it contains private keys) and its fixed subdirectories. */
  async prepare(): Promise<void> {
    await fs.mkdir(this.root, { recursive: true, mode: 0o700 });
    for (const part of [
      "images",
      "layers",
      "hosts",
      "ca",
      "ssh",
      "locks",
      "devices",
      "cache/apt",
      "cache/pip",
    ]) {
      await fs.mkdir(this.path(part), { recursive: true, mode: 0o755 });
    }
    // A user without rights builds environments, the same user on every host; files from here are checked by their hashes.
    await fs.chmod(this.path("cache", "pip"), 0o1777);
  }
}

/**
 * Writes a file so that a reader sees the old or the new content, never a part. A symbolic link at its path
 * is replaced, not followed: inside a host's root it could point out of that root.
 */
export async function writeFileAtomically(file: string, content: string, mode = 0o644): Promise<void> {
  const temporary = `${file}.new-${process.pid}`;
  await fs.writeFile(temporary, content, { mode });
  await fs.chmod(temporary, mode);
  await fs.rename(temporary, file);
}

/** Whether a path exists. */
export async function exists(file: string): Promise<boolean> {
  return fs.access(file).then(
    () => true,
    () => false,
  );
}
