import type { ReleaseInputs } from "../contract/release";
import { ProviderError } from "../protocol/errors";
import type { Properties } from "../protocol/values";
import { isObject } from "../protocol/values";
import type { Observation } from "./answer";

/** Refuses to take over what another resource, another server or another release owns. `urn` is the creating resource's. */
export function requireFree(inputs: ReleaseInputs, seen: Observation, urn: string): void {
  if (seen.release && seen.release.urn !== urn) throw ownedElsewhere(inputs, seen.release.urn, urn);
  for (const [key, wanted] of Object.entries(inputs.identity)) {
    const held = seen.identity.get(key);
    if (held !== undefined && held !== wanted) throw otherIdentity(inputs.connection.name, key, held, wanted);
  }
  const conflicts = [...seen.conflicts].map(
    ([path, release]) => `  ${path} belongs to release ${JSON.stringify(release)}`,
  );
  if (conflicts.length > 0) {
    throw new ProviderError(
      "FAILED_PRECONDITION",
      `release ${JSON.stringify(inputs.release)} wants what other releases on ${inputs.connection.name} own\n${conflicts.join("\n")}
  do: keep each path in one release only; to move it, take it out of the other one first`,
    );
  }
}

/** Refuses an update that would turn a host into another server. */
export function requireSameIdentity(olds: Properties, news: Properties, host: string): void {
  const before = isObject(olds.identity) ? olds.identity : {};
  const after = isObject(news.identity) ? news.identity : {};
  for (const [key, wanted] of Object.entries(after)) {
    const held = before[key];
    if (typeof held === "string" && typeof wanted === "string" && held !== wanted) {
      throw otherIdentity(host, key, held, wanted);
    }
  }
}

function otherIdentity(host: string, key: string, held: string, wanted: string): ProviderError {
  return new ProviderError(
    "FAILED_PRECONDITION",
    `${host} was set up with ${key} ${JSON.stringify(held)} and cannot become ${JSON.stringify(wanted)}: other servers know it by this name for ever
  now: nothing was changed on ${host}
  do: write ${key} ${JSON.stringify(held)} again, or use a fresh host for ${JSON.stringify(wanted)}`,
  );
}

function ownedElsewhere(inputs: ReleaseInputs, owner: string, urn: string): ProviderError {
  const { release, connection } = inputs;
  const fix =
    stackOf(owner) === stackOf(urn)
      ? `if the resource was renamed, add to its options: aliases: [${alias(owner, urn)}]
  if it is another one, give one of them another release name`
      : `remove it there first (pulumi destroy in that stack), or use another host
  if that stack is gone for good: remove /var/lib/hearth/releases/${release}/meta on ${connection.name}; the files are then taken over`;
  return new ProviderError(
    "FAILED_PRECONDITION",
    `release ${JSON.stringify(release)} on ${connection.name} belongs to another resource: ${owner}
  now: nothing was changed on ${connection.name}
  do: ${fix}`,
  );
}

/** What to paste so that the engine knows the old resource as the new one. */
function alias(owner: string, urn: string): string {
  const [, , type, name] = owner.split("::");
  return type === urn.split("::")[2] ? `{ name: ${JSON.stringify(name)} }` : JSON.stringify(owner);
}

/** `urn:pulumi:STACK::PROJECT` of a URN. */
function stackOf(urn: string): string {
  return urn.split("::").slice(0, 2).join("::");
}
