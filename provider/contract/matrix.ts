import type { Connection } from "./connection";

/** A local account, kept through the homeserver's admin API on the host's loopback. */
export interface AccountInputs {
  connection: Connection;
  /** `http://127.0.0.1:8008`: the homeserver as the host itself reaches it. */
  homeserverUrl: string;
  serverName: string;
  /** File on the host with the registration shared secret; used once to make Hearth's own admin account. */
  registrationSecretPath: string;
  localpart: string;
  admin: boolean;
  displayName?: string;
  deactivated: boolean;
  /**
   * `generated`: made on the host, kept in `/var/lib/hearth/accounts/<localpart>.password` (root, 0600).
   * `given`: the operator's secret; Check replaces it by a salted digest.
   */
  password: { kind: "generated" } | { kind: "given"; value: string };
}

/** Checks from outside; runs on create and whenever an input changed. A failing check fails the update. */
export interface VerificationInputs {
  connection: Connection;
  serverName: string;
  publicHost: string;
  homeserverUrl: string;
  registrationSecretPath: string;
  /** Bytes; the limit of homeserver and proxy. */
  maxUploadBytes: number;
  federationPort: boolean;
  /** Where the well-known documents are served: on this stack's hosts or elsewhere. */
  delegation: "here" | "elsewhere";
  /** Base URL of a partner homeserver that is asked to send a signed federation request; absent: not checked. */
  partner?: string;
  /** Names to addresses, for names that are not in DNS (tests); empty: DNS is used and checked. */
  resolve: Record<string, string>;
  /** PEM file on this machine with authorities to trust besides the system's. */
  caFile?: string;
  /** Database checks on the host. */
  database: { name: string; role: string; maxConnections: number };
  mediaPath: string;
  /** Media disk use above which the check fails, bytes; 0: not limited. */
  mediaLimitBytes: number;
  logFile: string;
  /** Digests of what is verified, so that a change of any runs the checks again. */
  revisions: Record<string, string>;
}

/** What one check came to. */
export interface CheckResult {
  /** Its name, e.g. `federation API`. */
  check: string;
  /** `not checked`: the question has no answer here (no partner named, no resolver); never a failure. */
  result: "pass" | "fail" | "not checked";
  /** What was found, in a sentence. */
  seen: string;
  /** What to do; empty when there is nothing to do. */
  fix: string;
}
