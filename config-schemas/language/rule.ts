import { shellWord } from "../../provider/text";
import type { FullStack, Section } from "../stack";
import { type Fault, keyOf, type Path } from "./fault";

/** A condition between several keys that no schema can state. */
export interface Rule<Needed extends Section> {
  /** Unique; identifies the rule in its tests. */
  name: string;
  /** Sections that the rule reads. The rule is skipped while one of them has other faults. */
  needs: readonly Needed[];
  /** The paths that break the rule; empty when the rule holds. */
  when: (stack: Pick<FullStack, Needed>) => readonly Path[];
  /** What is wrong there; follows the key in the message. */
  message: string | ((stack: Pick<FullStack, Needed>, path: Path) => string);
  /** What to do. */
  fix: string | ((stack: Pick<FullStack, Needed>, path: Path) => string);
}

/** A {@link Rule} that can check any stack, even an incomplete one. */
export interface AnyRule {
  name: string;
  faults: (stack: Partial<FullStack>) => Fault[];
}

function hasSections<Needed extends Section>(
  stack: Partial<FullStack>,
  needed: readonly Needed[],
): stack is Partial<FullStack> & Pick<FullStack, Needed> {
  // An absent optional section is present with the value undefined.
  return needed.every((section) => Object.hasOwn(stack, section));
}

/** Creates a rule that fits into one list with rules about other sections. */
export function rule<Needed extends Section>(definition: Rule<Needed>): AnyRule {
  const { name, needs, when, message, fix } = definition;
  return {
    name,
    faults: (stack) =>
      hasSections(stack, needs)
        ? when(stack).map((path) => ({
            path,
            problem: typeof message === "string" ? message : message(stack, path),
            fix: typeof fix === "string" ? fix : fix(stack, path),
          }))
        : [],
  };
}

/** A value that only a stack has which follows a rule, or the paths that break the rule. */
export type Proved<Value> = { ok: true; value: Value } | { ok: false; broken: readonly Path[] };

/** A {@link Rule} that also returns what it proves, so that no component has to check it again. */
export interface Proof<Needed extends Section, Value> extends AnyRule {
  prove: (stack: Pick<FullStack, Needed>) => Proved<Value>;
}

/** Creates a rule from a function that returns what it proves. */
export function proof<Needed extends Section, Value>(
  definition: Omit<Rule<Needed>, "when"> & Pick<Proof<Needed, Value>, "prove">,
): Proof<Needed, Value> {
  const { prove, ...rest } = definition;
  const when = (stack: Pick<FullStack, Needed>) => {
    const result = prove(stack);
    return result.ok ? [] : result.broken;
  };
  return { ...rule({ ...rest, when }), prove };
}

/** What a rule proves. */
export function proved<Value>(value: Value): Proved<Value> {
  return { ok: true, value };
}

/** The paths that break a rule. */
export function broken(...paths: readonly Path[]): Proved<never> {
  return { ok: false, broken: paths };
}

/** The path if the condition is true, for rules about one path. */
export function at(condition: boolean, ...path: (string | number)[]): Path[] {
  return condition ? [path] : [];
}

/** The command that sets a secret; it asks for the value, so that no command line contains it. */
export function setSecret(...path: string[]): string {
  return `run: npm run pulumi -- config set --secret --path ${shellWord(keyOf(["secrets", ...path]))}`;
}

/** The command that removes a secret. */
export function removeSecret(...path: string[]): string {
  return `run: npm run pulumi -- config rm --path ${shellWord(keyOf(["secrets", ...path]))}`;
}
