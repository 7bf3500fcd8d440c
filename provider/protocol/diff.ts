import { isObject, join, type Properties, reveal, UNKNOWN, type Value } from "./values";

/** What happens to one leaf. `replace`: it cannot change in place. */
export interface Detail {
  kind: "add" | "update" | "delete";
  replace: boolean;
}

/**
 * Compares inputs leaf by leaf, so that the engine prints only the leaves that change. An added or removed object is one
 * entry. `replaces` are the exact paths that cannot change in place.
 */
export function compare(olds: Properties, news: Properties, replaces: string[] = []): Map<string, Detail> {
  const details = new Map<string, Detail>();
  compareObjects("", olds, news, (path, kind) => {
    details.set(path, { kind, replace: replaces.includes(path) });
  });
  return details;
}

/** The top-level property a path starts with: `files["/etc/x"].mode` is in `files`. */
export function topLevel(path: string): string {
  return /^[^.[]+/.exec(path)?.[0] ?? path;
}

type Report = (path: string, kind: Detail["kind"]) => void;

function compareValues(
  path: string,
  before: Value | undefined,
  after: Value | undefined,
  report: Report,
): void {
  // null is how the engine may spell "absent".
  const old = before === undefined ? null : reveal(before);
  const now = after === undefined ? null : reveal(after);
  if (old === null && now === null) return;
  if (old === null) report(path, "add");
  else if (now === null) report(path, "delete");
  else if (now === UNKNOWN) report(path, "update");
  else if (Array.isArray(old) && Array.isArray(now)) compareArrays(path, old, now, report);
  else if (isObject(old) && isObject(now)) compareObjects(path, old, now, report);
  else if (old !== now) report(path, "update");
}

function compareObjects(path: string, old: Properties, now: Properties, report: Report): void {
  for (const key of new Set([...Object.keys(old), ...Object.keys(now)].sort())) {
    compareValues(join(path, key), old[key], now[key], report);
  }
}

function compareArrays(path: string, old: Value[], now: Value[], report: Report): void {
  for (let index = 0; index < Math.max(old.length, now.length); index++) {
    compareValues(`${path}[${index}]`, old[index], now[index], report);
  }
}
