import { keyOf } from "../../config-schemas/language/fault";
import type { StackModel } from "../../config-schemas/model";
import { parseStack, type RawStack } from "../../config-schemas/parse";
import { fixtureStack } from "../fixtures/stacks";

/** Changes to a stack, merged into it; `undefined` removes a key. */
export type Change = Readonly<Record<string, unknown>>;

function isMapping(value: unknown): value is Change {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function merged(base: unknown, change: unknown): unknown {
  if (!isMapping(base) || !isMapping(change)) return change;
  const all = {
    ...base,
    ...Object.fromEntries(Object.keys(change).map((key) => [key, merged(base[key], change[key])])),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** The smallest good stack with changes. */
export function stackWith(change: Change): RawStack {
  const result = merged(fixtureStack("minimal").raw, change);
  if (!isMapping(result)) throw new Error("the change replaces the whole stack");
  return result;
}

/** The messages for a stack: `key: problem | fix`, one for each fault. */
export function faultsOf(raw: RawStack): string[] {
  const parsed = parseStack(raw);
  if (parsed.ok) return [];
  return parsed.faults.map(
    ({ path, problem, fix }) => `${keyOf(path)}: ${problem}${fix === undefined ? "" : ` | ${fix}`}`,
  );
}

/** The parsed configuration of a stack that must have no faults. */
export function configOf(raw: RawStack): StackModel {
  const parsed = parseStack(raw);
  if (!parsed.ok) throw new Error(faultsOf(raw).join("\n"));
  return parsed.config;
}
