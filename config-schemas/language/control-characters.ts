import { visible } from "../../provider/text";
import type { RawStack } from "../parse";
import { type Fault, mayShow, type Path } from "./fault";

/**
 * Control characters and characters that reverse the direction of writing: a terminal obeys them instead of showing them, so a preview
 * would not show the real content. Each key decides about line breaks and tabs; direction marks are allowed, many languages need them.
 */
const OBEYED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this expression searches for control characters
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

/** Finds texts anywhere in a stack, also in keys, that a terminal would not show as they are. */
export function controlFaults(raw: RawStack): Fault[] {
  return Object.entries(raw).flatMap(([section, value]) => below(value, [section]));
}

function below(value: unknown, path: Path): Fault[] {
  const key = path.at(-1);
  const own = typeof key === "string" && OBEYED.test(key) ? [fault(path, key)] : [];
  if (typeof value === "string") return OBEYED.test(value) ? [...own, fault(path, value)] : own;
  if (typeof value !== "object" || value === null) return own;
  const children = Object.entries(value).flatMap(([name, child]) =>
    below(child, [...path, Array.isArray(value) ? Number(name) : name]),
  );
  return [...own, ...children];
}

function fault(path: Path, text: string): Fault {
  const shown = mayShow(path) ? `: ${visible(text).slice(0, 80)}` : "";
  return {
    path,
    problem: `contains control characters, which a preview cannot show${shown}`,
    fix: "remove them",
  };
}
