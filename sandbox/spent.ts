import { AsyncLocalStorage } from "node:async_hooks";

/**
 * How a run on sandbox hosts spends its time: creating, booting and ending hosts; `pulumi up` and `destroy`; other
 * runs of the engine; waiting for an effect.
 */
export const KINDS = ["boot", "deploy", "engine", "waiting"] as const;
export type Kind = (typeof KINDS)[number];

const seconds = new Map<Kind, number>();
const inside = new AsyncLocalStorage<Kind>();

/** Runs `work` and counts its time under `kind`; nested calls count for the outermost one. */
export async function spending<T>(kind: Kind, work: () => Promise<T>): Promise<T> {
  if (inside.getStore() !== undefined) return work();
  const started = performance.now();
  try {
    return await inside.run(kind, work);
  } finally {
    seconds.set(kind, (seconds.get(kind) ?? 0) + (performance.now() - started) / 1000);
  }
}

/** Seconds counted so far in this process; parallel work counts twice. */
export function spent(): Record<Kind, number> {
  return Object.fromEntries(KINDS.map((kind) => [kind, seconds.get(kind) ?? 0])) as Record<Kind, number>;
}
