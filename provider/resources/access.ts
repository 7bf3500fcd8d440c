import type { HomeserverAccess } from "../contract/matrix";
import { connectionShape } from "../protocol/connection";
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

/** How the host is reached is no part of what is on it, but which host it is on is. */
export function comparable({ connection, ...rest }: Properties): Properties {
  const plain = reveal(connection ?? null);
  return { ...rest, connection: isObject(plain) ? { name: plain.name ?? null } : plain };
}
