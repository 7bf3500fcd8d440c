import { mountDisk } from "./disk";
import { addSystemDirectoriesToPath, ensureRequirements } from "./requirements";
import { type Progress, StateDirectory } from "./state";

/** The sandbox, and the receiver of progress. */
export interface SandboxOptions {
  /** State directory; default: `HEARTH_SANDBOX_DIR`, else `/var/lib/hearth-sandbox`. */
  directory?: string;
  /** Default: none. */
  progress?: Progress;
}

/**
 * Prepares the requirements of all work on a sandbox, in this order: a directory that is created before its disk
 * permanently stays without one.
 */
export async function openSandbox({ directory, progress = () => undefined }: SandboxOptions): Promise<{
  state: StateDirectory;
  progress: Progress;
}> {
  addSystemDirectoriesToPath();
  await ensureRequirements(progress);
  const state = new StateDirectory(directory);
  await mountDisk(state.root);
  await state.prepare();
  return { state, progress };
}
