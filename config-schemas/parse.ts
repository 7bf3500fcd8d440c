import { extraFaults } from "./homeserver/extra";
import { controlFaults } from "./language/control-characters";
import type { Fault } from "./language/fault";
import { shapeFaults } from "./language/shape-faults";
import { modelOf, type StackModel } from "./model";
import { rules } from "./rules";
import type { PlainSecrets } from "./secrets";
import { type FullStack, type Section, stackSchema } from "./stack";

/** The result of reading a stack. */
export type ParsedStack =
  | { ok: true; config: StackModel; secrets: PlainSecrets }
  | { ok: false; faults: readonly Fault[] };

/** A stack file's `hearth:` keys without the namespace, as plain values. */
export type RawStack = Readonly<Record<string, unknown>>;

function isSection(name: string): name is Section {
  return Object.hasOwn(stackSchema.shape, name);
}

const SECTIONS = Object.keys(stackSchema.shape).filter(isSection);

/** The sections with the right shape, for the rules; faulty sections are left out. */
function soundSections(raw: RawStack): Partial<FullStack> {
  const sound = SECTIONS.flatMap((name): [string, unknown][] => {
    const result = stackSchema.shape[name].safeParse(raw[name]);
    return result.success ? [[name, result.data]] : [];
  });
  return Object.fromEntries(sound);
}

function rawExtra(raw: RawStack): unknown {
  const { homeserver } = raw;
  return typeof homeserver === "object" && homeserver !== null && "extra" in homeserver
    ? homeserver.extra
    : undefined;
}

/**
 * Reads a stack: checks shapes, rules between keys, and known mistakes in `extra`. Pure; reads no file.
 * Rules about sections that have the right shape are checked even when another section is faulty.
 * @param raw the `hearth:` keys, secrets in clear text
 */
export function parseStack(raw: RawStack): ParsedStack {
  const whole = stackSchema.safeParse(raw);
  const sound = soundSections(raw);
  const faults = [
    ...(whole.success ? [] : shapeFaults(whole.error, raw, [])),
    ...controlFaults(raw),
    ...extraFaults(rawExtra(raw)),
    ...rules.flatMap((rule) => rule.faults(sound)),
  ];
  // A stack without a model has a fault, because the model comes from some of the rules.
  const model = whole.success && faults.length === 0 ? modelOf(whole.data) : undefined;
  if (!whole.success || model === undefined) return { ok: false, faults };
  return { ok: true, config: model, secrets: whole.data.secrets };
}
