import type { ReleaseInputs } from "../../contract/release";
import { ProviderError } from "../../protocol/errors";
import type { Properties } from "../../protocol/values";
import { isObject } from "../../protocol/values";
import type { Observation } from "./answer";

/** Refuses to take over what another resource, another server or another release owns. `urn` is the creating resource's. */
export function requireFree(inputs: ReleaseInputs, seen: Observation, urn: string): void {
  if (seen.release && seen.release.urn !== urn) throw ownedElsewhere(inputs, seen.release.urn, urn);
  for (const [key, wanted] of Object.entries(inputs.identity)) {
    const held = seen.identity.get(key);
    if (held !== undefined && held !== wanted) throw otherIdentity(inputs.connection.name, key, held, wanted);
  }
  requireUnclaimed(inputs, seen);
}

/** Refuses paths that another release owns. */
export function requireUnclaimed(inputs: ReleaseInputs, seen: Observation): void {
  const conflicts = [...seen.conflicts].map(
    ([path, release]) => `  ${path} belongs to release ${JSON.stringify(release)}`,
  );
  if (conflicts.length > 0) {
    throw new ProviderError(
      "FAILED_PRECONDITION",
      `release ${JSON.stringify(inputs.release)} wants what other releases on ${inputs.connection.name} own\n${conflicts.join("\n")}
  fix: keep each path in one release only; to move it, take it out of the other one first`,
    );
  }
}

/** Refuses an update over a way that leads to a machine, or to a login user, without the release that the state knows. */
export function requireKnown({ connection, release }: ReleaseInputs, seen: Observation): void {
  if (seen.release) return;
  throw new ProviderError(
    "FAILED_PRECONDITION",
    `${connection.name} is another machine, or another login user, than before: release ${JSON.stringify(release)} of this stack is not there; continuing would create a second, empty server
  now: nothing was changed
  fix: correct address, user or port of hearth:hosts.${connection.name}
  if the machine was installed again and nothing of the old one is to be kept: HEARTH_OFFLINE=1 npm run pulumi -- up takes the new way over, and the next preview shows what would be made there`,
  );
}

/** Refuses to move a service between root's systemd and the login user's: its data would stay behind. */
export function requireSameScope(olds: Properties, news: Properties, host: string): void {
  const [held, wanted] = [olds.scope, news.scope];
  if (typeof held !== "string" || typeof wanted !== "string" || held === wanted) return;
  const runtime = (scope: string) => (scope === "user" ? "quadlet" : "native");
  throw new ProviderError(
    "FAILED_PRECONDITION",
    `${host} was set up with runtime ${runtime(held)} and cannot change to ${runtime(wanted)}: database, media and signing key would stay behind, and continuing would create a second, empty server
  now: nothing was changed on ${host}
  fix: write runtime: ${runtime(held)} in hearth:hosts.${host} again, or use a fresh host`,
  );
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
    `${host} was set up with ${key} ${JSON.stringify(held)} and cannot become ${JSON.stringify(wanted)}: other servers know it by this name permanently
  now: nothing was changed on ${host}
  fix: write ${key} ${JSON.stringify(held)} again, or use a fresh host for ${JSON.stringify(wanted)}`,
  );
}

function ownedElsewhere(inputs: ReleaseInputs, owner: string, urn: string): ProviderError {
  const { release, connection } = inputs;
  return new ProviderError(
    "FAILED_PRECONDITION",
    `release ${JSON.stringify(release)} on ${connection.name} belongs to another resource: ${owner}
  now: nothing was changed on ${connection.name}
  fix: ${wayOut(connection.name, owner, urn)}
  if the state that knew ${nameOf(owner)} is gone for good: remove ${inputs.scope === "user" ? "~/.local/state" : "/var/lib"}/hearth/releases/${release}/meta on ${connection.name}; what is there is then taken over`,
  );
}

function wayOut(host: string, owner: string, urn: string): string {
  if (stackOf(owner) !== stackOf(urn)) {
    return "remove it there first (pulumi destroy in that stack), or use another host";
  }
  const before = formerHost(host, owner, urn);
  if (before !== undefined) {
    return `if it is the same machine, call it ${before} again in hearth:hosts: what is on a host belongs to its name there permanently, while its address may change
  if it is another machine, its address in hearth:hosts is that of ${before}: correct it`;
  }
  return `if the resource was renamed, add to its options: aliases: [${alias(owner, urn)}]
  if it is another one, give one of them another release name`;
}

/** The owner's host when both resources are the same part of two hosts: `vps` of `vps-homeserver` and `box-homeserver`. */
function formerHost(host: string, owner: string, urn: string): string | undefined {
  const name = nameOf(urn);
  const part = name.startsWith(`${host}-`) ? name.slice(host.length) : undefined;
  const owned = nameOf(owner);
  if (part === undefined || !owned.endsWith(part)) return undefined;
  const former = owned.slice(0, -part.length);
  return former !== "" && former !== host ? former : undefined;
}

/** The resource's name, the last part of its URN. */
function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
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
