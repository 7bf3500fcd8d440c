import { isObject, type Properties, reveal, type Value } from "../../protocol/values";

// Maps of a release's inputs, as far as they are known.

/** The entries of a map of the inputs; none while it is not known. */
export function entries(map: Value | undefined): [string, Value][] {
  return isObject(map) ? Object.entries(map) : [];
}

export function keysOf(map: Value | undefined): string[] {
  return entries(map).map(([key]) => key);
}

export function member(map: Value | undefined, key: string): Value | undefined {
  return isObject(map) ? map[key] : undefined;
}

/** Keys of `all` that `some` does not have. What is not known yet is taken to have them. */
export function missing(map: string, some: Properties, all: Properties): string[] {
  const known = some[map] ?? {};
  return isObject(known) ? keysOf(all[map]).filter((key) => known[key] === undefined) : [];
}

/** Keys of what is new or different, as far as `part` looks at it. */
export function changedKeys(
  olds: Properties,
  news: Properties,
  map: string,
  part: (item: Value) => Value | undefined = (item) => item,
): string[] {
  return entries(news[map])
    .filter(([key, item]) => {
      const old = member(olds[map], key);
      return old === undefined || !same(part(old), part(item));
    })
    .map(([key]) => key);
}

export function same(one: Value | undefined, other: Value | undefined): boolean {
  return canonical(one) === canonical(other);
}

/** JSON with sorted keys and without secret wrappers. */
export function canonical(value: Value | undefined): string {
  return JSON.stringify(sorted(reveal(value ?? null)));
}

function sorted(value: Value): Value {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key] ?? null)]),
  );
}

/** A map with the same keys, without those whose new value is undefined. */
export function pick<T>(
  map: Record<string, T>,
  change: (key: string, item: T) => T | undefined,
): Record<string, T> {
  const result: Record<string, T> = {};
  for (const [key, item] of Object.entries(map)) {
    const changed = change(key, item);
    if (changed !== undefined) result[key] = changed;
  }
  return result;
}
