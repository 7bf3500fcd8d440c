import { visible, visibleLines } from "../text";
import { isObject, isSecret, type Properties, UNKNOWN, type Value } from "./values";

/** The property whose text has lines of its own: a file's. Everywhere else a line break would begin a line of somebody else's. */
const CONTENT = "content";

/**
 * What a host or a service said of itself, fit to be shown in a diff: everything that a terminal would obey is made visible. What
 * the program asked for stays as it is, so that equal things stay equal; secrets are never shown.
 * @param known what the program asked for
 */
export function showable(seen: Properties, known: Properties): Properties {
  const entries = Object.entries(seen).map(([key, value]): [string, Value] => [
    Object.hasOwn(known, key) ? key : visible(key),
    shown(value, known[key], key),
  ]);
  return Object.fromEntries(entries);
}

function shown(value: Value, known: Value | undefined, key: string): Value {
  if (typeof value === "string") {
    if (value === known || value === UNKNOWN) return value;
    return key === CONTENT ? visibleLines(value) : visible(value);
  }
  if (Array.isArray(value))
    return value.map((item, index) => shown(item, counterpart(item, index, known), key));
  if (!isObject(value) || isSecret(value)) return value;
  return showable(value, isObject(known) ? known : {});
}

/** The same item of a list, wherever it stands, else the one at its place. */
function counterpart(item: Value, index: number, known: Value | undefined): Value | undefined {
  if (!Array.isArray(known)) return undefined;
  return known.includes(item) ? item : known[index];
}
