import type { Endpoint } from "../../hosts/link";
import type { WellKnownDocuments } from "../delegation/documents";

/** What every kind of proxy must do, as plain values. */
export interface ProxyPlan {
  serverName: string;
  publicHost: string;
  /** Where the proxy reaches Synapse. */
  upstream: Endpoint;
  /** Exactly Synapse's own limit, bytes. Above it Synapse closes the connection, and a proxy would answer 502 instead of 413. */
  maxUploadBytes: number;
  /** How long a request may wait for Synapse, e.g. `10m`. */
  readTimeout: string;
  federationPort: boolean;
  /** The well-known documents, if this proxy serves them. */
  documents?: WellKnownDocuments;
  /** Whether the host has IPv6; without it, no program can listen on IPv6. */
  ipv6: boolean;
}

/** A transaction of another server: at most 50 events and 100 ephemeral ones; Synapse itself accepts 200 events of 64 KiB. */
const TRANSACTION_BYTES = 200 * 65_536;
/**
 * All other requests. The largest from clients are backups of room keys (200 in a request, about 1.5 KiB each) and messages to
 * many devices at once; an event may have 64 KiB.
 */
const REQUEST_BYTES = 2 * 1024 ** 2;

/** A request with a larger body, or with a body of unknown size, counts as large; Synapse also keeps large bodies on disk. */
export const SMALL_BODY_BYTES = 99_999;

/**
 * The number of simultaneous requests. A stranger can make this host keep these numbers times the sizes above.
 * `address`: from one address (for IPv6: one /64). Each client has one long poll and a few other requests, so this is enough for
 * an office of 100 people with two devices each. Other servers send one transaction at a time, and request keys and media.
 * `large`: with large bodies. A server sends us one transaction at a time; people behind one address send a few pictures.
 */
export const CONCURRENT = {
  address: 384,
  total: 2000,
  uploads: { address: 10, total: 40 },
  large: { address: 6, total: 40 },
} as const;

/** One path that is forwarded, with all paths below it. */
export interface Passed {
  path: string;
  maxBytes: number;
  /** A path for uploads: the body goes directly to Synapse, because a copy in the proxy would fill the disk. */
  upload?: true;
}

/** Paths for uploads; other media requests have small bodies, and their paths are below `/_matrix/`. */
function uploadPaths({ maxUploadBytes }: ProxyPlan): Passed[] {
  return ["v3", "r0", "v1"].map((version) => ({
    path: `/_matrix/media/${version}/upload`,
    maxBytes: maxUploadBytes,
    upload: true,
  }));
}

/** Path to which other servers send their transactions. */
const TRANSACTIONS: Passed = { path: "/_matrix/federation/v1/send/", maxBytes: TRANSACTION_BYTES };

/** Paths for clients, and for servers that read the well-known document. A longer path comes before the path that contains it. */
export function publicPaths(plan: ProxyPlan): Passed[] {
  return [
    ...uploadPaths(plan),
    TRANSACTIONS,
    { path: "/_matrix/", maxBytes: REQUEST_BYTES },
    { path: "/_synapse/client/", maxBytes: REQUEST_BYTES },
  ];
}

/** Paths for servers that connect to the default port of federation. */
export function federationPaths(): Passed[] {
  return [
    TRANSACTIONS,
    { path: "/_matrix/federation/", maxBytes: REQUEST_BYTES },
    { path: "/_matrix/key/", maxBytes: REQUEST_BYTES },
    // Media for servers that do not authenticate these requests yet.
    { path: "/_matrix/media/", maxBytes: REQUEST_BYTES },
  ];
}

/** Whether the server name differs from the public host and this proxy answers for it too. */
export function answersBareDomain(plan: ProxyPlan): boolean {
  return plan.documents !== undefined && plan.serverName !== plan.publicHost;
}

/** The names under which servers reach the public host's paths. */
export function federationNames(plan: ProxyPlan): string[] {
  return answersBareDomain(plan) ? [plan.publicHost, plan.serverName] : [plan.publicHost];
}
