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

/** Names of the images that {@link prepareImages} installs, as in their registries. */
export const IMAGE_NAMES: readonly string[] = IMAGES.map(([, name]) => name);

/** In a host's store: the build of its images. Podman treats `*-images` there as a storage driver's. */
const MARK = "hearth-sandbox-build";

export interface PrepareOptions extends SandboxOptions {
  /** Whether to install Podman and its requirements too. Default: true. If false, only the images are installed. */
  podman?: boolean;
}

/**
 * Puts stand-ins for the images into the store of user debian on a trixie host, as if pulled, without a registry: once for each
 * host, before anything else uses that store. The first call on a machine builds them. Throws on a host
 * of another suite and when the store has other contents.
 */
export async function prepareImages(host: Host, options: PrepareOptions = {}): Promise<void> {
  const { podman = true } = options;
  if (host.suite !== "trixie") {
    throw new SandboxError(`container images exist for trixie only; the host ${host.name} is ${host.suite}`);
  }
  const { state, progress } = await openSandbox(options);
  const inHost = (work: () => Promise<void>) => withLock(state, `host-${host.name}`, progress, work);
  if (podman) await inHost(() => installPodman(host));
  // Keeps the lock to the end: another build would remove the files that are copied.
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

/** A store that Podman has only read contains these indexes empty, or not at all. */
async function refuseContents(host: Host, store: string): Promise<void> {
  for (const file of [
    "overlay-images/images.json",
    "overlay-containers/containers.json",
    "secrets/secrets.json",
  ]) {
    const text = await fs.readFile(path.join(store, file), "utf8").catch(() => "[]");
    if (/"id"|"ID"/i.test(text)) {
      throw new SandboxError(
        `debian's container store on ${host.name} has other contents (${file})\n  fix: prepare the images before the store is used`,
      );
    }
  }
}
