import type { DelegationConfig } from "../../config-schemas/delegation/schema";
import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";

/** Paths of the two documents, below every name that clients or servers may start from. */
export const WELL_KNOWN_SERVER = "/.well-known/matrix/server";
export const WELL_KNOWN_CLIENT = "/.well-known/matrix/client";

/** The bodies of the two well-known documents, as one line of JSON each. */
export interface WellKnownDocuments {
  server: string;
  client: string;
}

/** Where clients reach the homeserver. */
export function baseUrl(homeserver: Pick<HomeserverConfig, "publicHost">): string {
  return `https://${homeserver.publicHost}`;
}

/** How servers and clients that only know the server name find the homeserver. */
export function wellKnownDocuments(
  homeserver: Pick<HomeserverConfig, "publicHost">,
  delegation: Pick<DelegationConfig, "identityServer">,
): WellKnownDocuments {
  const client = {
    "m.homeserver": { base_url: baseUrl(homeserver) },
    ...(delegation.identityServer === undefined
      ? {}
      : { "m.identity_server": { base_url: delegation.identityServer } }),
  };
  // The port is written out: without it other servers try 8448.
  return {
    server: JSON.stringify({ "m.server": `${homeserver.publicHost}:443` }),
    client: JSON.stringify(client),
  };
}
