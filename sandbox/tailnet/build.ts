import fs from "node:fs/promises";
import path from "node:path";
import { builtPrograms, pinnedVersion } from "../go-programs";
import { run } from "../process";
import type { Progress } from "../state";

/** Go module with the stand-in's source; its go.mod pins Tailscale's module and all others by checksum. */
const SOURCE = path.join(__dirname, "../../stand-ins/tailnet");
const TAILSCALE = "tailscale.com";
const PROGRAMS = [`${TAILSCALE}/cmd/tailscale`, `${TAILSCALE}/cmd/tailscaled`, "."];
/** The same files as in the vendor's package, from the same module. */
const VENDOR_FILES = ["tailscaled.service", "tailscaled.defaults"];

/** A directory with `tailscale`, `tailscaled`, `tailnet` and the vendor's unit and defaults. */
export type TailscaleBuild = string;

/** Builds Tailscale's real programs and the stand-in for its service, once for each source. */
export async function ensureTailscale(progress: Progress): Promise<TailscaleBuild> {
  const version = await pinnedVersion(SOURCE, TAILSCALE);
  return builtPrograms(
    {
      ...{ title: `tailscaled ${version}`, name: "tailscale", source: SOURCE, version, time: "2 minutes" },
      build: (directory) => build(version, directory),
    },
    progress,
  );
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
