import { mountDisk } from "./disk";
import { addSystemDirectoriesToPath, ensureRequirements } from "./requirements";
import { type Progress, StateDirectory } from "./state";

/** Which sandbox, and who hears of progress. */
export interface SandboxOptions {
  /** State directory; default: `HEARTH_SANDBOX_DIR`, else `/var/lib/hearth-sandbox`. */
  directory?: string;
  /** Default: nobody. */
  progress?: Progress;
}

/**
 * Makes ready what every work on a sandbox stands on, in this order: a directory that somebody makes before its disk is
 * there stays without one for ever.
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
