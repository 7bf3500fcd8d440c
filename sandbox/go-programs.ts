import { createHash } from "node:crypto";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { messageOf, SandboxError } from "./errors";
import { exists, type Progress } from "./state";

/** Programs in Go that tests need, built from source. */
export interface GoPrograms {
  /** For people, with a version. */
  title: string;
  /** Folder in the cache. */
  name: string;
  /** Folder with a Go module, whose go.mod pins all others by checksum. */
  source: string;
  /** Part of the folder's name in the cache, in addition to the digest of the source. */
  version: string;
  /** How long a build takes on two cores, for people. */
  time: string;
  /** Builds into this directory. */
  build(directory: string): Promise<void>;
}

/**
 * Builds programs once for each source; returns their directory. The result is in the cache next to the engine; Go caches compiled
 * packages, so an interrupted build continues.
 */
export async function builtPrograms(programs: GoPrograms, progress: Progress): Promise<string> {
  const { title, name, version, source, time } = programs;
  const directory = path.join(cacheDirectory(), name, `${version}-${await sourceDigest(source)}`);
  if (await exists(directory)) return directory;
  const staging = `${directory}.partial-${process.pid}`;
  await fs.rm(staging, { recursive: true, force: true });
  await fs.mkdir(staging, { recursive: true });
  const started = Date.now();
  const tell = () => progress(`building ${title} from source (about ${time}, once): ${seconds(started)}`);
  tell();
  const timer = setInterval(tell, 15_000);
  try {
    await programs.build(staging);
    await fs.rename(staging, directory).catch(async (error) => {
      // Another run was faster.
      if (!(await exists(directory))) throw error;
    });
  } catch (error) {
    throw new SandboxError(
      `${title} could not be built: ${messageOf(error)}\n  fix: install Go 1.26 or newer`,
    );
  } finally {
    clearInterval(timer);
    await fs.rm(staging, { recursive: true, force: true });
  }
  return directory;
}

/** The version of a module that a go.mod pins. */
export async function pinnedVersion(source: string, module: string): Promise<string> {
  const text = await fs.readFile(path.join(source, "go.mod"), "utf8");
  const line = text.split("\n").find((one) => one.replace(/^\s*(require )?/, "").startsWith(`${module} v`));
  return / v(\S+)/.exec(line ?? "")?.[1] ?? "unpinned";
}

async function sourceDigest(source: string): Promise<string> {
  const digest = createHash("sha256");
  for (const name of (await fs.readdir(source)).sort())
    digest.update(await fs.readFile(path.join(source, name)));
  return digest.digest("hex").slice(0, 12);
}

/** The toolchain's cache, outside the checkout. */
function cacheDirectory(): string {
  const base = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
  return process.env.HEARTH_CACHE || path.join(base, "hearth");
}

const seconds = (since: number) => `${Math.round((Date.now() - since) / 1000)} s`;
