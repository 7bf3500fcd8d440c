import { createHash } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";
import { moveTree, removeTree } from "../disk";
import { messageOf, SandboxError } from "../errors";
import { downHost, type Host, powerCutHost, upHost } from "../index";
import { run } from "../process";
import { onHost } from "../remote";
import { exists, type Progress, type StateDirectory } from "../state";
import { installPodman, must } from "./podman";

/** The images, by the directory of their recipe; the newest Synapse first. */
export const IMAGES = [
  ["synapse", "ghcr.io/element-hq/synapse:v1.163.2"],
  ["synapse", "ghcr.io/element-hq/synapse:v1.162.0"],
  ["postgres", "docker.io/library/postgres:17.6"],
  ["caddy", "docker.io/library/caddy:2.10.2"],
] as const;

/** The directory in which Podman keeps images and other data of user debian. */
export const STORE = "home/debian/.local/share/containers/storage";

const RECIPES = path.join(__dirname, "../../stand-ins/images");
const BUILDER = "images-builder";

/** The result of a build, on this machine. */
export interface ImageStore {
  /** A tree in the form of Podman's store of user debian on a trixie host; copy it with owners and attributes. */
  directory: string;
  /** A digest of everything that the images consist of. */
  digest: string;
}

/**
 * The images of stand-ins/images; builds them if there are none for these recipes and authorities: about
 * 2 minutes, on a temporary host. The next build removes leftovers of an interrupted one. Call under
 * the lock `containers`.
 */
export async function ensureImages(
  state: StateDirectory,
  host: Host,
  progress: Progress,
): Promise<ImageStore> {
  const digest = await digestOf(host);
  const store = { directory: state.path("containers", digest), digest };
  if (await exists(store.directory)) return store;
  const sandbox = { directory: state.root, progress };
  const started = Date.now();
  progress("building the container images (once, about 2 minutes)");
  await removeTree(state.path("containers"));
  await fs.mkdir(state.path("containers"), { mode: 0o755 });
  await downHost(BUILDER, sandbox);
  const builder = await upHost({ ...sandbox, name: BUILDER });
  try {
    await build(builder, progress);
    // All its processes end, so nothing is mounted there and the whole tree can be moved.
    await powerCutHost(BUILDER, sandbox);
    await moveTree(path.join(builder.root, STORE), store.directory);
  } finally {
    await downHost(BUILDER, sandbox);
  }
  progress(`built the container images in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return store;
}

async function build(builder: Host, progress: Progress): Promise<void> {
  const context = path.join(builder.root, "var/tmp/images");
  await run("cp", ["-r", RECIPES, context]);
  await Promise.all([buildCaddy(path.join(context, "caddy/caddy")), installPodman(builder, ["mmdebstrap"])]);
  await must(builder, ["chown", "-R", "debian:", "/var/tmp/images"]);
  const images = IMAGES.map(([recipe, name]) => `${recipe}=${name}`);
  const done = await onHost(builder, ["sh", "/var/tmp/images/build.sh", ...images], {
    user: "debian",
    onLine: (line) => line.startsWith("building ") && progress(line),
  });
  if (done.code !== 0) {
    const tail = done.stderr.trim().split("\n").slice(-15).join("\n  ");
    throw new SandboxError(`the container images could not be built:\n  ${tail}`);
  }
}

/** Caddy from its Go module, pinned by checksum; Go caches compiled packages. */
async function buildCaddy(program: string): Promise<void> {
  const source = path.join(RECIPES, "caddy");
  const flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"];
  const env = { CGO_ENABLED: "0", GOWORK: "off" };
  await run("go", ["-C", source, "build", ...flags, "-o", program, "."], { env }).catch((error) => {
    throw new SandboxError(`Caddy could not be built: ${messageOf(error)}\n  fix: install Go 1.25 or newer`);
  });
}

async function digestOf(host: Host): Promise<string> {
  const digest = createHash("sha256").update(JSON.stringify([IMAGES, host.suite]));
  const files = await fs.readdir(RECIPES, { recursive: true, withFileTypes: true });
  const paths = files
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  for (const file of paths.sort()) {
    digest.update(`${path.relative(RECIPES, file)}\0`).update(await fs.readFile(file));
  }
  // The images trust the same authorities as the hosts.
  const authorities = path.join(host.root, "usr/local/share/ca-certificates");
  for (const name of (await fs.readdir(authorities)).sort()) {
    digest.update(await fs.readFile(path.join(authorities, name)));
  }
  return digest.digest("hex").slice(0, 12);
}
