import { compare, type Detail } from "../protocol/diff";
import { isObject, type Properties, type Value } from "../protocol/values";

/** A release with another name or on another host is another release. (Another scope is refused, see ownership.ts.) */
const REPLACES = ["connection.name", "release"];

/** States of earlier versions have none of these; that is no change. */
const ABSENT_BEFORE: Properties = { images: [], containerSecrets: {} };

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

/** What changes, by property path. `olds` are what Read observed. */
export function diffRelease(olds: Properties, news: Properties): Map<string, Detail> {
  return compare({ ...ABSENT_BEFORE, ...withoutChecks(olds) }, withoutChecks(news), REPLACES);
}

/** Whether the way to the host changes. */
export function touchesConnection(details: Map<string, Detail>): boolean {
  return [...details.keys()].some((path) => path.startsWith("connection."));
}

/** Whether nothing changes but the way to the host. */
export function onlyConnection(details: Map<string, Detail>): boolean {
  return details.size > 0 && [...details.keys()].every((path) => path.startsWith("connection."));
}
