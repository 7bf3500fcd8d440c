import type { WellKnownDocuments } from "../delegation/documents";

/** What a proxy is to do, whichever it is; plain values. */
export interface ProxyPlan {
  serverName: string;
  publicHost: string;
  /** Path of Synapse's socket. */
  upstream: string;
  /** Bytes: exactly Synapse's own limit. Above it Synapse cuts the connection and a proxy would answer 502, not 413. */
  maxUploadBytes: number;
  /** How long a request may wait for Synapse, e.g. `10m`. */
  readTimeout: string;
  federationPort: boolean;
  /** The well-known documents when they are served here. */
  documents?: WellKnownDocuments;
  /** Whether the host has IPv6; where it has none, nothing can listen there. */
  ipv6: boolean;
}

/** A transaction of another server: at most 50 events and 100 ephemeral ones; Synapse itself takes 200 events of 64 KiB. */
const TRANSACTION_BYTES = 200 * 65_536;
/**
 * Everything else. The largest that clients send are copies of room keys (200 in a request, about 1.5 KiB each) and messages to
 * many devices at once; an event may have 64 KiB.
 */
const REQUEST_BYTES = 2 * 1024 ** 2;

/** A request with a body above this, or of unknown size, counts among the large ones; Synapse keeps those on disk, too. */
export const SMALL_BODY_BYTES = 99_999;

/**
 * How many requests at a time. What a stranger can make this host keep is these times the sizes above.
 * `address`: of one address (for IPv6: of one /64). Each client waits in one long poll and asks for a few things besides, so
 * an office of 100 people with two devices each fits; other servers send one transaction at a time, and ask for keys and media.
 * `large`: those with large bodies. A server sends us one transaction at a time; people behind one address send a few pictures.
 */
export const CONCURRENT = {
  address: 384,
  total: 2000,
  uploads: { address: 10, total: 40 },
  large: { address: 6, total: 40 },
} as const;

/** One path that is passed on, with everything below it. */
export interface Passed {
  path: string;
  maxBytes: number;
  /** Media are sent there: straight on to Synapse, for a copy here would fill the disk. */
  upload?: true;
}

/** Where media are uploaded; the paths of other media requests are below `/_matrix/` and have no body to speak of. */
function uploadPaths({ maxUploadBytes }: ProxyPlan): Passed[] {
  return ["v3", "r0", "v1"].map((version) => ({
    path: `/_matrix/media/${version}/upload`,
    maxBytes: maxUploadBytes,
    upload: true,
  }));
}

/** Where other servers send their transactions. */
const TRANSACTIONS: Passed = { path: "/_matrix/federation/v1/send/", maxBytes: TRANSACTION_BYTES };

/** What clients, and servers that read the well-known document, may reach. A path comes before those it is below. */
export function publicPaths(plan: ProxyPlan): Passed[] {
  return [
    ...uploadPaths(plan),
    TRANSACTIONS,
    { path: "/_matrix/", maxBytes: REQUEST_BYTES },
    { path: "/_synapse/client/", maxBytes: REQUEST_BYTES },
  ];
}

/** What other servers that look for us on the default port of federation may reach. */
export function federationPaths(): Passed[] {
  return [
    TRANSACTIONS,
    { path: "/_matrix/federation/", maxBytes: REQUEST_BYTES },
    { path: "/_matrix/key/", maxBytes: REQUEST_BYTES },
    // Media for servers that do not authenticate such requests yet.
    { path: "/_matrix/media/", maxBytes: REQUEST_BYTES },
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
