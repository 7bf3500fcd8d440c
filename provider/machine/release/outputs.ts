import type { ReleaseInputs, ReleaseOutputs } from "../../contract/release";
import { integer, list, object, optional, parse, record, type Shape, text } from "../../protocol/shape";
import { hasUnknown, type Properties, toProperties, UNKNOWN, type Value } from "../../protocol/values";
import type { Observation } from "./answer";
import { sha256 } from "./digest";
import { canonical, entries, member, same } from "./maps";
import { containerSecretKey } from "./nouns/container-secrets";

const line = text({ write: "a line" });

const outputsShape: Shape<ReleaseOutputs> = object<ReleaseOutputs>({
  instance: line,
  generation: integer(0, Number.MAX_SAFE_INTEGER),
  digest: line,
  packageVersions: record(line, line),
  fingerprints: record(line, line),
  published: optional(record(line, line)),
  drift: optional(list(line)),
});

/** The outputs of a state. The engine keeps only what Create, Update and Read returned. */
export function parseOutputs(outputs: Properties): ReleaseOutputs {
  return parse(outputsShape, outputs, "the outputs of the release in the state");
}

/** Digest of everything desired, whatever the way to the host; known in previews unless an input is not. */
export function digestOf(inputs: Properties): string {
  const { connection: _, ...desired } = inputs;
  return hasUnknown(desired) ? UNKNOWN : sha256(canonical(desired));
}

/** Fingerprints that a request names, so that the host answers with the same salts. */
export function knownFingerprints(
  inputs: ReleaseInputs,
  outputs: ReleaseOutputs | undefined,
): Record<string, string> {
  const known = new Set([
    ...Object.keys(inputs.secrets),
    ...Object.keys(inputs.containerSecrets).map(containerSecretKey),
  ]);
  return Object.fromEntries(Object.entries(outputs?.fingerprints ?? {}).filter(([key]) => known.has(key)));
}

/**
 * Fingerprints of the secrets made on the host. Those of given ones are left out: a weak password could be guessed from one,
 * and the inputs hold it already, as a Pulumi secret.
 */
export function madeFingerprints(inputs: ReleaseInputs, seen: Observation): Record<string, string> {
  const files = [...seen.secrets].filter(([path]) => inputs.secrets[path]?.source.kind !== "given");
  const stored = [...seen.containerSecrets].filter(
    ([name]) => inputs.containerSecrets[name]?.source.kind !== "given",
  );
  return Object.fromEntries([
    ...files.flatMap(([path, found]) => (found ? [[path, found.fingerprint]] : [])),
    ...stored.flatMap(([name, mark]) => (mark === undefined ? [] : [[containerSecretKey(name), mark]])),
  ]);
}

/** Versions of the packages that are there. */
export function installedVersions(seen: Observation): Record<string, string> {
  return Object.fromEntries(
    [...seen.packages].flatMap(([name, version]) => (version === undefined ? [] : [[name, version]])),
  );
}

/**
 * The facts that the release names. One that cannot be seen at present keeps its last value: dependents would otherwise lose what
 * still holds.
 */
export function publishedFacts(
  inputs: ReleaseInputs,
  seen: Pick<Observation, "published">,
  before: Readonly<Record<string, string>> = {},
): Pick<ReleaseOutputs, "published"> {
  const names = Object.keys(inputs.publishes);
  if (names.length === 0) return {};
  const facts = names.map((name) => [name, seen.published.get(name) ?? before[name]]);
  return { published: Object.fromEntries(facts.filter(([, fact]) => fact !== undefined)) };
}

/** Facts as a preview knows them: unknown where the release does not have them yet, or asks another program. */
function plannedFacts(outputs: Properties, olds: Properties, news: Properties): Properties {
  if (news.publishes === UNKNOWN) return { published: UNKNOWN };
  const names = entries(news.publishes);
  if (names.length === 0) return {};
  const facts = names.map(([name, asked]): [string, Value] => {
    const known = same(member(olds.publishes, name), asked) ? member(outputs.published, name) : undefined;
    return [name, known ?? UNKNOWN];
  });
  return { published: Object.fromEntries(facts) };
}

/** What a preview knows of the outputs of a create. */
export function plannedOutputs(inputs: Properties): Properties {
  return {
    instance: UNKNOWN,
    generation: UNKNOWN,
    digest: digestOf(inputs),
    packageVersions: UNKNOWN,
    fingerprints: UNKNOWN,
    ...plannedFacts({}, {}, inputs),
  };
}

/** What a preview knows of the outputs of an update: what the change cannot touch stays. */
export function updatedOutputs(outputs: Properties, olds: Properties, news: Properties): Properties {
  const { drift: _, published: __, ...kept } = outputs;
  const changes = (map: string) => canonical(olds[map]) !== canonical(news[map]);
  return {
    ...kept,
    generation: UNKNOWN,
    digest: digestOf(news),
    ...(changes("packages") || changes("repositories") ? { packageVersions: UNKNOWN } : {}),
    ...plannedFacts(outputs, olds, news),
    ...(changes("secrets") || changes("containerSecrets") ? { fingerprints: UNKNOWN } : {}),
  };
}

/** Typed outputs as property values. */
export function outputProperties(outputs: ReleaseOutputs): Properties {
  return toProperties(outputs);
}
