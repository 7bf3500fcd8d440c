import type { Checked } from "../../protocol/resource";
import {
  isObject,
  type Properties,
  revealAll,
  secretPaths,
  UNKNOWN,
  type Value,
} from "../../protocol/values";
import { seal } from "../../sealed";
import { withHeader } from "./header";
import { crossFaults } from "./rules";
import { maySecret, SECRET_MAPS, wrapSecrets } from "./secrets";
import { releaseShape } from "./shape";

/** Fills in defaults, brings spellings to one, seals given secrets, and names everything that cannot work. */
export function checkRelease(olds: Properties, news: Properties): Checked {
  const faults = secretPaths(news)
    .filter((path) => !maySecret(path))
    .map(
      (path) =>
        `${path}: is a secret; files and settings hold none: ship it under secrets with source given and refer to its path`,
    );
  // What follows shows values; one of these may be what must not be shown.
  if (faults.length > 0) return { inputs: news, faults };
  const revealed = revealAll(news);
  const checked = releaseShape.check(revealed, "", faults);
  if (!isObject(checked)) return { inputs: news, faults };
  faults.push(...crossFaults(checked));
  // The engine prints inputs of a failed check nowhere, but it gets them: secrets stay wrapped.
  if (faults.length > 0) return { inputs: wrapSecrets(checked), faults };
  return { inputs: wrapSecrets(sealGiven(revealAll(olds), addHeaders(checked))), faults };
}

function addHeaders(inputs: Properties): Properties {
  return {
    ...inputs,
    files: mapValues(inputs.files, (path, file) => {
      if (!isObject(file) || typeof file.content !== "string" || file.content === UNKNOWN) return file;
      return { ...file, content: withHeader(path, file.content) };
    }),
  };
}

/** Replaces the operator's values by their seals; the salt of the state is used again. */
function sealGiven(olds: Properties, inputs: Properties): Properties {
  const sealed = SECRET_MAPS.map((map) => [
    map,
    mapValues(inputs[map], (key, item) => {
      if (!isObject(item) || !isObject(item.source)) return item;
      const { value } = item.source;
      if (item.source.kind !== "given" || typeof value !== "string" || value === UNKNOWN) return item;
      return { ...item, source: { ...item.source, value: seal(value, oldSeal(olds[map], key)) } };
    }),
  ]);
  return { ...inputs, ...Object.fromEntries(sealed) };
}

function oldSeal(olds: Value | undefined, key: string): string | undefined {
  const item = isObject(olds) ? olds[key] : undefined;
  const source = isObject(item) ? item.source : undefined;
  const value = isObject(source) ? source.value : undefined;
  return typeof value === "string" ? value : undefined;
}

function mapValues(map: Value | undefined, change: (key: string, item: Value) => Value): Value {
  if (!isObject(map)) return map ?? {};
  return Object.fromEntries(Object.entries(map).map(([key, item]) => [key, change(key, item)]));
}
