import { spawn } from "node:child_process";
import { once } from "node:events";
import { messageOf, SandboxError } from "./errors";
import type { Progress, StateDirectory } from "./state";

/**
 * Runs `work` while holding an exclusive lock between processes. The lock is a `flock` held by a child that
 * waits for the end of its stdin, so it goes away with this process however this process ends.
 *
 * Order where locks nest (`tailscale` is held alone): `containers`, then `host-<name>`, then `image-<suite>`, then `shared`.
 */
export async function withLock<T>(
  state: StateDirectory,
  name: string,
  progress: Progress,
  work: () => Promise<T>,
): Promise<T> {
  const file = state.path("locks", name);
  const holder = spawn("flock", ["--exclusive", file, "sh", "-c", "echo held; exec cat >/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(holder, "close").catch((cause: unknown) => {
    throw new SandboxError(`cannot start flock: ${messageOf(cause)}`);
  });
  const notice = setTimeout(() => progress(`waiting for another sandbox command (lock ${name})`), 1500);
  try {
    await Promise.race([
      once(holder.stdout, "data"),
      ended.then(() => {
        throw new SandboxError(`cannot take the lock ${file}`);
      }),
    ]);
    clearTimeout(notice);
    return await work();
  } finally {
    clearTimeout(notice);
    holder.stdin.end();
    await ended;
  }
}
