import { createHash } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";
import { ensureCa } from "./certificates";
import { copyWholeTree, removeTree } from "./disk";
import { imageOf } from "./image";
import { downHost, type Host, powerCutHost, type UpOptions, upHost } from "./index";
import { withLock } from "./lock";
import { openSandbox, type SandboxOptions } from "./open";
import { exists, type StateDirectory, type Suite } from "./state";

/** What new hosts have in addition to the base image: it is prepared once, on a host of its own, and copied. */
export interface Layer {
  /** A word for people; the host that it is prepared on is called `layer-<name>`. */
  name: string;
  suite?: Suite;
  /** Everything that `make` depends on, as JSON. */
  key: unknown;
  /** Prepares a new host, which then loses its power: no program may still have to write something. */
  make(host: Host): Promise<void>;
}

/** Milliseconds. Another checkout may use a layer that this one does not. */
const UNUSED = 24 * 3600 * 1000;

/** Folders whose files belong to one host only. Names, keys and machine id are written for each new host. */
const OF_ONE_HOST = ["var/log/journal", "var/lib/systemd/timers"];

/** `upHost` for a host that starts from a copy of the layer, if it does not exist yet. The first call prepares the layer; others wait for it. */
export async function upHostFrom(layer: Layer, options: UpOptions): Promise<Host> {
  const tree = await ensureLayer(layer, options);
  return upHost({ ...options, suite: layer.suite ?? "trixie", tree });
}

/** Prepares the layer unless it exists, and returns its tree. */
export async function ensureLayer(layer: Layer, options: SandboxOptions = {}): Promise<string> {
  const { state, progress } = await openSandbox(options);
  const ca = await withLock(state, "shared", progress, () => ensureCa(state));
  return withLock(state, `layer-${layer.name}`, progress, async () => {
    const tree = await treeOf(state, layer, ca.certificate);
    if (!(await exists(tree))) {
      progress(`preparing the layer ${layer.name} (once)`);
      const started = Date.now();
      await removeUnused(state, layer);
      await build(layer, tree, { directory: state.root, progress });
      progress(`prepared the layer ${layer.name} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
    }
    await fs.utimes(tree, new Date(), new Date());
    return tree;
  });
}

/** Its name is a digest of everything that is in it: the base image, the sandbox's authority, the layer's own key. */
async function treeOf(state: StateDirectory, { name, suite, key }: Layer, caFile: string): Promise<string> {
  const image = path.basename(await imageOf(state, suite ?? "trixie"));
  const recipe = JSON.stringify([image, await fs.readFile(caFile, "utf8"), key]);
  return state.path("layers", `${name}-${createHash("sha256").update(recipe).digest("hex").slice(0, 12)}`);
}

async function removeUnused(state: StateDirectory, { name }: Layer): Promise<void> {
  for (const entry of await fs.readdir(state.path("layers"))) {
    const tree = state.path("layers", entry);
    if (entry.replace(/-[^-]*$/, "") !== name) continue;
    if (Date.now() - (await fs.stat(tree)).mtimeMs > UNUSED) await removeTree(tree);
  }
}

async function build(layer: Layer, tree: string, sandbox: SandboxOptions): Promise<void> {
  const name = `layer-${layer.name}`;
  const building = `${tree}.building`;
  await downHost(name, sandbox);
  const host = await upHost({ ...sandbox, name, suite: layer.suite ?? "trixie" });
  try {
    await layer.make(host);
    await powerCutHost(name, sandbox);
    await removeTree(building);
    await copyWholeTree(host.root, building);
    for (const folder of OF_ONE_HOST) await empty(path.join(building, folder));
    await fs.rename(building, tree);
  } finally {
    await downHost(name, sandbox);
  }
}

async function empty(folder: string): Promise<void> {
  for (const entry of await fs.readdir(folder).catch(() => [])) await removeTree(path.join(folder, entry));
}
