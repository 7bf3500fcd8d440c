import { compare, type Detail } from "../../protocol/diff";
import type { Difference } from "../../protocol/resource";
import { isObject, type Properties, type Value } from "../../protocol/values";
import { NOUNS } from "./nouns";

/** A release with another name or on another host is another release. (Another scope is refused, see ownership.ts.) */
const REPLACES = ["connection.name", "release"];

/** States of earlier versions have none of these; that is no change. */
const ABSENT_BEFORE: Properties = Object.fromEntries(
  NOUNS.flatMap(({ name, shape, addedLater }) =>
    addedLater ? [[name, shape.check(undefined, name, []) ?? {}]] : [],
  ),
);
/** States of earlier versions have these, always empty; they are nothing any more. */
const GONE = ["links"];

/** What is looked at before a change, and is nothing on the host: a change of it alone is none. */
function withoutChecks({ ports: _, preflights: __, units, ...inputs }: Properties): Properties {
  if (!isObject(units)) return { ...inputs, ...(units === undefined ? {} : { units }) };
  const plain = Object.entries(units).map(([name, unit]): [string, Value] => {
    if (!isObject(unit)) return [name, unit];
    const { adopt: ___, ...rest } = unit;
    return [name, rest];
  });
  return { ...inputs, units: Object.fromEntries(plain) };
}

/** Inputs of a state as this version knows them. */
export function withoutGone(inputs: Properties): Properties {
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !GONE.includes(name)));
}

/** What changes, by property path. `olds` are what Read observed. */
export function diffRelease(olds: Properties, news: Properties): Map<string, Detail> {
  return compare({ ...ABSENT_BEFORE, ...withoutChecks(withoutGone(olds)) }, withoutChecks(news), REPLACES);
}

/** One key of a map, as property paths spell it. */
const KEY = String.raw`(?:\.[\w$]+|\["(?:[^"\\]|\\.)*"\])`;

/**
 * Inputs that say how Hearth works and not what the host is to be. A change of one is applied, and shown by what it does (the
 * sentence about restarts), not by its text.
 */
const INTERNAL = NOUNS.flatMap(({ name, internal = [] }) =>
  internal === "all"
    ? [new RegExp(`^${name}(?:[.[].*)?$`)]
    : internal.map((part) => new RegExp(`^${name}${KEY}\\.${part}(?:[.[].*)?$`)),
);

/**
 * Whole entries that come or go. Whether a package, a secret or a file that is new in the inputs is new on the host, and whether
 * what leaves them leaves the host, only a look at the host says: the preview's own words tell it (`preview.ts`).
 */
const ENTRY = new RegExp(
  `^(?:${NOUNS.filter(({ told }) => told)
    .map(({ name }) => name)
    .join("|")})${KEY}$`,
);

/** The difference as the operator sees it: the values that change on the host, line by line. */
export function shownDifference(olds: Properties, news: Properties): Difference {
  const all = diffRelease(olds, news);
  const shown = [...all].filter(
    ([path, { kind }]) =>
      !INTERNAL.some((pattern) => pattern.test(path)) && (kind === "update" || !ENTRY.test(path)),
  );
  return { details: new Map(shown), silent: all.size > 0 };
}

/** Whether the way to the host changes. */
export function touchesConnection(details: Map<string, Detail>): boolean {
  return [...details.keys()].some((path) => path.startsWith("connection."));
}

/** Whether nothing changes but the way to the host. */
export function onlyConnection(details: Map<string, Detail>): boolean {
  return details.size > 0 && [...details.keys()].every((path) => path.startsWith("connection."));
}
