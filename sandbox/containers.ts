import fs from "node:fs/promises";
import path from "node:path";
import { ensureImages, IMAGES, type ImageStore, STORE } from "./containers/build";
import { installPodman, must } from "./containers/podman";
import { copyTree, removeTree } from "./disk";
import { SandboxError } from "./errors";
import type { Host } from "./index";
import { withLock } from "./lock";
import { openSandbox, type SandboxOptions } from "./open";
import { exists } from "./state";

/** Names of the images that {@link prepareImages} brings, as their registries have them. */
export const IMAGE_NAMES: readonly string[] = IMAGES.map(([, name]) => name);

/** In a host's store: which build its images are of. Podman takes `*-images` there for a storage driver's. */
const MARK = "hearth-sandbox-build";

export interface PrepareOptions extends SandboxOptions {
  /** Whether Podman and what it needs are installed too. Default: true. Without, only the images lie there. */
  podman?: boolean;
}

/**
 * Puts stand-ins for the images that no registry is asked for here into user debian's own store on a trixie host, as if
 * pulled: once for each host, before anything else uses that store. The first on a machine builds them. Throws on a host
 * of another suite and when the store has contents of its own.
 */
export async function prepareImages(host: Host, options: PrepareOptions = {}): Promise<void> {
  const { podman = true } = options;
  if (host.suite !== "trixie") {
    throw new SandboxError(
      `container images are there for trixie only; the host ${host.name} is ${host.suite}`,
    );
  }
  const { state, progress } = await openSandbox(options);
  const inHost = (work: () => Promise<void>) => withLock(state, `host-${host.name}`, progress, work);
  if (podman) await inHost(() => installPodman(host));
  // Under the lock to the end: another build would take away what is being copied.
  await withLock(state, "containers", progress, async () => {
    const images = await ensureImages(state, host, progress);
    await inHost(() => placeImages(host, images));
  });
}

async function placeImages(host: Host, images: ImageStore): Promise<void> {
  const store = path.join(host.root, STORE);
  if (await exists(path.join(store, MARK))) return;
  await refuseContents(host, store);
  await must(host, ["mkdir", "-p", path.dirname(`/${STORE}`)], "debian");
  const staging = `${store}.new`;
  await removeTree(staging);
  await copyTree(images.directory, staging);
  await fs.writeFile(path.join(staging, MARK), `${images.digest}\n`);
  await removeTree(store);
  await fs.rename(staging, store);
}

/** A store that Podman has only looked at has these indexes, empty or not at all. */
async function refuseContents(host: Host, store: string): Promise<void> {
  for (const file of [
    "overlay-images/images.json",
    "overlay-containers/containers.json",
    "secrets/secrets.json",
  ]) {
    const text = await fs.readFile(path.join(store, file), "utf8").catch(() => "[]");
    if (/"id"|"ID"/i.test(text)) {
      throw new SandboxError(
        `debian's container store on ${host.name} has contents of its own (${file}); prepare the images before it is used`,
      );
    }
  }
}
