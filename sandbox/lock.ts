import { spawn } from "node:child_process";
import { once } from "node:events";
import { messageOf, SandboxError } from "./errors";
import { spending } from "./spent";
import type { Progress, StateDirectory } from "./state";

/** How to take a lock: shared with other readers or not, and whether to wait for its holder. */
interface LockMode {
  shared?: boolean;
  wait?: boolean;
}

const BUSY = 75;

/**
 * Runs `work` while holding an exclusive lock between processes. The lock is a `flock` held by a child that
 * waits for the end of its stdin, so it ends with this process in any case.
 *
 * Order of nested locks (`tailscale` is never nested): `layer-<name>`, then `containers`, then `host-<name>`, then `image-<suite>`, then `shared`.
 */
export async function withLock<T>(
  state: StateDirectory,
  name: string,
  progress: Progress,
  work: () => Promise<T>,
): Promise<T> {
  const done = await holding(state, name, progress, {}, work);
  if (done === undefined) throw new SandboxError(`cannot take the lock ${state.path("locks", name)}`);
  return done.result;
}

/** Like {@link withLock}, but shared with other readers of the guarded data. */
export async function withSharedLock<T>(
  state: StateDirectory,
  name: string,
  progress: Progress,
  work: () => Promise<T>,
): Promise<T> {
  const done = await holding(state, name, progress, { shared: true }, work);
  if (done === undefined) throw new SandboxError(`cannot take the lock ${state.path("locks", name)}`);
  return done.result;
}

/** Like {@link withLock}, but does nothing while another process holds the lock. */
export async function ifUnlocked(
  state: StateDirectory,
  name: string,
  work: () => Promise<void>,
): Promise<void> {
  await holding(state, name, () => undefined, { wait: false }, work);
}

/** Undefined: the lock was not available. Creating, booting and ending hosts all call this function, so it counts their time. */
function holding<T>(
  state: StateDirectory,
  name: string,
  progress: Progress,
  mode: LockMode,
  work: () => Promise<T>,
): Promise<{ result: T } | undefined> {
  return spending("boot", () => hold(state, name, progress, mode, work));
}

async function hold<T>(
  state: StateDirectory,
  name: string,
  progress: Progress,
  { shared = false, wait = true }: LockMode,
  work: () => Promise<T>,
): Promise<{ result: T } | undefined> {
  const how = [
    shared ? "--shared" : "--exclusive",
    ...(wait ? [] : ["--nonblock", "--conflict-exit-code", `${BUSY}`]),
  ];
  const holder = spawn(
    "flock",
    [...how, state.path("locks", name), "sh", "-c", "echo held; exec cat >/dev/null"],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const ended = once(holder, "close").catch((cause: unknown) => {
    throw new SandboxError(`cannot start flock: ${messageOf(cause)}`);
  });
  const notice = setTimeout(() => progress(`waiting for another sandbox command (lock ${name})`), 1500);
  try {
    const held = await Promise.race([once(holder.stdout, "data").then(() => true), ended.then(() => false)]);
    clearTimeout(notice);
    return held ? { result: await work() } : undefined;
  } finally {
    clearTimeout(notice);
    holder.stdin.end();
    await ended;
  }
}
