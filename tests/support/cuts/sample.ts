import { ACTS, type Act, type Cuts, type Point } from "./cuts";
import type { Written } from "./order";

/** The seed of a run: `HEARTH_SEED`, or the time. It is printed, so that a run can be repeated. */
export const seed = (): number => Number(process.env.HEARTH_SEED ?? Date.now() % 1_000_000);

/**
 * Cuts at that many random calls, different in each run, after all calls were counted; returns the faults of each cut, with the
 * seed that gives the same cuts again, and the recorded calls of each act.
 */
export async function cutSample(
  cuts: Cuts,
  count: number,
): Promise<{ recorded: Record<Act, Written[]>; faults: string[] }> {
  const recorded = {} as Record<Act, Written[]>;
  for (const act of ACTS) recorded[act] = await cuts.record(act);
  const counts = Object.fromEntries(ACTS.map((act) => [act, recorded[act].length])) as Record<Act, number>;
  const from = seed();
  const again = `HEARTH_SEED=${from} draws the same places`;
  console.info(
    `${count} of ${Object.values(counts).reduce((sum, one) => sum + one)} places to cut at; ${again}`,
  );
  const faults: string[] = [];
  for (const point of sample(counts, count, from)) {
    const { faults: found, call } = await cuts.cut(point);
    if (found.length > 0)
      faults.push(`${point.act}, ${point.mode} at ${point.at} (${call}): ${found.join("; ")}; ${again}`);
  }
  return { recorded, faults };
}

/** `count` points out of all, uniformly distributed, always the same for a seed. */
export function sample(calls: Record<Act, number>, count: number, from: number): Point[] {
  const all = (Object.entries(calls) as [Act, number][]).flatMap(([act, length]) =>
    Array.from({ length }, (_, index) => ({ act, at: index + 1 })),
  );
  const random = randomFrom(from);
  const points: Point[] = [];
  while (points.length < count && all.length > 0) {
    const [drawn] = all.splice(Math.floor(random() * all.length), 1);
    if (!drawn) break;
    // systemd cleans up after a killed change; only another delete cleans up after a killed delete.
    const mayBeKilled = drawn.act === "change" || drawn.act === "roll back";
    points.push({ ...drawn, mode: mayBeKilled && random() < 0.25 ? "kill" : "power" });
  }
  // Grouped by act, so that the host need not be prepared again for each cut.
  return points.sort((one, other) => one.act.localeCompare(other.act) || one.at - other.at);
}

/** Mulberry32. */
function randomFrom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
