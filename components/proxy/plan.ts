import type { WellKnownDocuments } from "../delegation/documents";

/** What a proxy is to do, whichever it is; plain values. */
export interface ProxyPlan {
  serverName: string;
  publicHost: string;
  /** `address:port` of Synapse. */
  upstream: string;
  /** Bytes: exactly Synapse's own limit. Above it Synapse cuts the connection and a proxy would answer 502, not 413. */
  maxUploadBytes: number;
  /** How long a request may wait for Synapse, e.g. `10m`. */
  readTimeout: string;
  federationPort: boolean;
  /** The well-known documents when they are served here. */
  documents?: WellKnownDocuments;
}

/** Synapse takes request bodies up to this size on every path (200 events of 64 KiB), uploads apart. */
const MAX_REQUEST_BYTES = 200 * 65_536;

/** One path that is passed on, with everything below it. */
export interface Passed {
  path: string;
  maxBytes: number;
}

/** What clients, and servers that read the well-known document, may reach. A path comes before those it is below. */
export function publicPaths(plan: ProxyPlan): Passed[] {
  const maxBytes = Math.max(plan.maxUploadBytes, MAX_REQUEST_BYTES);
  return [
    { path: "/_matrix/media/", maxBytes: plan.maxUploadBytes },
    { path: "/_matrix/", maxBytes },
    { path: "/_synapse/client/", maxBytes },
  ];
}

/** What other servers that look for us on the default port of federation may reach. */
export function federationPaths(plan: ProxyPlan): Passed[] {
  const maxBytes = Math.max(plan.maxUploadBytes, MAX_REQUEST_BYTES);
  return [
    { path: "/_matrix/federation/", maxBytes },
    { path: "/_matrix/key/", maxBytes },
    // Media for servers that do not authenticate such requests yet.
    { path: "/_matrix/media/", maxBytes: plan.maxUploadBytes },
  ];
}

/** Whether users live at a name of its own that is answered here too. */
export function answersBareDomain(plan: ProxyPlan): boolean {
  return plan.documents !== undefined && plan.serverName !== plan.publicHost;
}

/** The names that the public host's paths for servers are answered under. */
export function federationNames(plan: ProxyPlan): string[] {
  return answersBareDomain(plan) ? [plan.publicHost, plan.serverName] : [plan.publicHost];
}
