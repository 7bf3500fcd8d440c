import { createHash } from "node:crypto";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { messageOf, SandboxError } from "../errors";
import { run } from "../process";
import { exists, type Progress } from "../state";

/** Go module with the stand-in's source; its go.mod pins Tailscale's module and all others by checksum. */
const SOURCE = path.join(__dirname, "../../stand-ins/tailnet");
const TAILSCALE = "tailscale.com";
const PROGRAMS = [`${TAILSCALE}/cmd/tailscale`, `${TAILSCALE}/cmd/tailscaled`, "."];
/** The same files as in the vendor's package, from the same module. */
const VENDOR_FILES = ["tailscaled.service", "tailscaled.defaults"];

/** A directory with `tailscale`, `tailscaled`, `tailnet` and the vendor's unit and defaults. */
export type TailscaleBuild = string;

/**
 * Builds Tailscale's real programs and the stand-in for its service, once for each source: 2 minutes on two cores. The result is in
 * the cache next to the engine; Go caches compiled packages, so an interrupted build continues.
 */
export async function ensureTailscale(progress: Progress): Promise<TailscaleBuild> {
  const version = await pinnedVersion();
  const directory = path.join(cacheDirectory(), "tailscale", `${version}-${await sourceDigest()}`);
  if (await exists(directory)) return directory;
  const staging = `${directory}.partial-${process.pid}`;
  await fs.rm(staging, { recursive: true, force: true });
  await fs.mkdir(staging, { recursive: true });
  const started = Date.now();
  const tell = () =>
    progress(`building tailscaled ${version} from source (about 2 minutes, once): ${seconds(started)}`);
  tell();
  const timer = setInterval(tell, 15_000);
  try {
    await build(version, staging);
    await fs.rename(staging, directory).catch(async (error) => {
      // Another run was faster.
      if (!(await exists(directory))) throw error;
    });
  } catch (error) {
    throw new SandboxError(
      `tailscaled could not be built: ${messageOf(error)}\n  fix: install Go 1.26 or newer`,
    );
  } finally {
    clearInterval(timer);
    await fs.rm(staging, { recursive: true, force: true });
  }
  return directory;
}

async function build(version: string, directory: string): Promise<void> {
  const env = { CGO_ENABLED: "0", GOWORK: "off" };
  const stamps = ["longStamp", "shortStamp"].map((name) => `-X ${TAILSCALE}/version.${name}=${version}`);
  const flags = ["-mod=readonly", "-buildvcs=false", "-ldflags", ["-s -w", ...stamps].join(" ")];
  await run("go", ["-C", SOURCE, "build", ...flags, "-o", `${directory}/`, ...PROGRAMS], { env });
  const module = await run("go", ["-C", SOURCE, "list", "-m", "-f", "{{.Dir}}", TAILSCALE], { env });
  for (const name of VENDOR_FILES) {
    await fs.copyFile(path.join(module.trim(), "cmd/tailscaled", name), path.join(directory, name));
  }
}

async function pinnedVersion(): Promise<string> {
  const text = await fs.readFile(path.join(SOURCE, "go.mod"), "utf8");
  return /^\s*(?:require )?tailscale\.com v(\S+)/m.exec(text)?.[1] ?? "unpinned";
}

async function sourceDigest(): Promise<string> {
  const digest = createHash("sha256");
  for (const name of (await fs.readdir(SOURCE)).sort())
    digest.update(await fs.readFile(path.join(SOURCE, name)));
  return digest.digest("hex").slice(0, 12);
}

/** The toolchain's cache, outside the checkout. */
function cacheDirectory(): string {
  const base = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
  return process.env.HEARTH_CACHE || path.join(base, "hearth");
}

const seconds = (since: number) => `${Math.round((Date.now() - since) / 1000)} s`;
