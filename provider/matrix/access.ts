import type { HomeserverAccess } from "../contract/matrix";
import { connectionShape } from "../protocol/connection";
import type { Detail } from "../protocol/diff";
import type { Difference } from "../protocol/resource";
import { oneOf, type Shape, text } from "../protocol/shape";
import { isObject, type Properties, reveal } from "../protocol/values";

/** What every resource behind the homeserver's API takes. */
export const accessMembers: { [K in keyof HomeserverAccess]-?: Shape<HomeserverAccess[K]> } = {
  connection: connectionShape,
  scope: oneOf("system", "user"),
  homeserverUrl: text({
    pattern: /^unix:\/.+$/,
    write: "unix: and the absolute path of its socket on the host",
  }),
  serverName: text({ pattern: /^[A-Za-z0-9.:-]+$/, write: "the homeserver's server name" }),
  registrationSecret: text({
    pattern: /^(\/|podman:[A-Za-z0-9][\w.-]*$)/,
    write: "an absolute path on the host, or podman: and the name of a Podman secret",
  }),
};

/** States of earlier versions: everything was root's, and the registration secret was always a file. */
export function withAccess(state: Properties): Properties {
  const { registrationSecretPath, ...rest } = state;
  if (registrationSecretPath === undefined) return state;
  return { scope: "system", registrationSecret: registrationSecretPath, ...rest };
}

/** The part of a request that every program behind the homeserver's API takes. */
export function accessRequest({ scope, homeserverUrl, serverName, registrationSecret }: HomeserverAccess) {
  return { scope, homeserverUrl, serverName, registrationSecret };
}

/** How Hearth reaches the homeserver is no part of what is there; a change of it shows no difference. */
const INTERNAL = ["homeserverUrl", "registrationSecret", "scope"];

/** What of a difference the operator sees: all but how the homeserver is reached, and what `hides` says comes to nothing. */
export function shown(
  details: Map<string, Detail>,
  hides: (path: string, detail: Detail) => boolean,
): Difference {
  const visible = [...details].filter(
    ([path, detail]) => !INTERNAL.includes(path) && (detail.replace || !hides(path, detail)),
  );
  return { details: new Map(visible), silent: details.size > 0 };
}

/** Where Hearth keeps its records of a scope. */
export function recordsOf(scope: HomeserverAccess["scope"]): string {
  return scope === "user" ? "~/.local/state/hearth" : "/var/lib/hearth";
}

/** What a preview says where Hearth itself is not an admin of the homeserver yet, or no longer. */
export function accessText({ scope, serverName }: HomeserverAccess): string {
  return `pulumi up first makes or renews Hearth's own access: the admin account @hearth:${serverName} and ${recordsOf(scope)}/admin.json`;
}

/** How the host is reached is no part of what is on it, but which host it is on is. */
export function comparable({ connection, ...rest }: Properties): Properties {
  const plain = reveal(connection ?? null);
  return { ...rest, connection: isObject(plain) ? { name: plain.name ?? null } : plain };
}
