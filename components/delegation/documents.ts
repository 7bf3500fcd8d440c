import type { DelegationConfig } from "../../config-schemas/delegation/schema";
import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";

/** Paths of the two documents, below every name from which clients or servers look for the homeserver. */
export const WELL_KNOWN_SERVER = "/.well-known/matrix/server";
export const WELL_KNOWN_CLIENT = "/.well-known/matrix/client";

/** The two well-known documents, each as one line of JSON. */
export interface WellKnownDocuments {
  server: string;
  client: string;
}

/** URL at which clients reach the homeserver. */
export function baseUrl(homeserver: Pick<HomeserverConfig, "publicHost">): string {
  return `https://${homeserver.publicHost}`;
}

/** The documents that lead servers and clients from the server name to the homeserver. */
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
  // With the port, because other servers try 8448 without it.
  return {
    server: JSON.stringify({ "m.server": `${homeserver.publicHost}:443` }),
    client: JSON.stringify(client),
  };
}
