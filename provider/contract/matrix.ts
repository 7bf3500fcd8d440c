import type { Connection } from "./connection";

/** How Hearth's programs on a host become admin of the homeserver there. */
export interface HomeserverAccess {
  connection: Connection;
  /** Whose records on the host are used: root's in /var/lib/hearth, or the login user's in ~/.local/state/hearth. */
  scope: "system" | "user";
  /** `unix:` and the absolute path of the homeserver's socket on the host: a folder says who may listen there, a port does not. */
  homeserverUrl: string;
  serverName: string;
  /**
   * Where the registration shared secret is on the host: an absolute path, or `podman:NAME`, a Podman secret of the login
   * user. Used once to make Hearth's own admin account.
   */
  registrationSecret: string;
}

/** A local account, kept through the homeserver's admin API on the host. */
export interface AccountInputs extends HomeserverAccess {
  localpart: string;
  admin: boolean;
  displayName?: string;
  deactivated: boolean;
  /**
   * `generated`: made on the host, kept in `accounts/<localpart>.password` of Hearth's records there (0600); with `reclaim`
   * also for an account that is there already, of which nobody else's password, session or address may be good then.
   * `given`: the operator's secret; Check replaces it by a salted digest.
   */
  password: { kind: "generated"; reclaim?: boolean } | { kind: "given"; value: string };
}

/** A Space of Hearth's own account, kept through the homeserver's API on the host. */
export interface SpaceInputs extends HomeserverAccess {
  /** What it is known by, once per homeserver: two stacks that name the same key mean the same room. */
  key: string;
  name: string;
  /** Absent: left to its people, as `alias` and `avatar` are. */
  topic?: string;
  joinRule: JoinRule;
  historyVisibility: "shared" | "invited" | "joined";
  powerLevels: PowerLevels;
  /**
   * User IDs. Local ones are joined, others invited, both once: who left, declined or was removed is not asked again.
   * Nobody is removed for not being listed.
   */
  members: string[];
  /** Local part of its alias. */
  alias?: string;
  avatar?: RoomAvatar;
  /** The Space that it belongs to. */
  parent?: SpaceParent;
  /** For its creation only; absent: what the homeserver takes by itself. */
  roomVersion?: string;
  /** Whether people of other servers may ever join; for its creation only. */
  federate: boolean;
}

/** A room of Hearth's own account. */
export interface RoomInputs extends SpaceInputs {
  /** Once on it can never be off. */
  encrypted: boolean;
}

export interface JoinRule {
  /** `restricted`: members of the Spaces (or rooms) in `spaceIds` may join, others need an invitation. */
  rule: "invite" | "restricted" | "knock" | "public";
  /** Empty for the other rules. */
  spaceIds: string[];
}

/** Who may do what; levels are whole numbers, by custom 0 to 100. */
export interface PowerLevels {
  /** Level by user ID. A user who is not listed has `usersDefault`; Hearth's own account has 100 and is not listed. */
  users: Record<string, number>;
  usersDefault: number;
  invite: number;
  kick: number;
  ban: number;
  /** Removing messages of others. */
  redact: number;
  /** Changing name, topic and the like. */
  stateDefault: number;
  /** Sending messages. */
  eventsDefault: number;
}

/** A picture on the operator's machine; its digest stands for it in the state. */
export interface RoomAvatar {
  /** Absolute path. */
  file: string;
  /** SHA-256 of the file, hex. */
  digest: string;
  type: "image/png" | "image/jpeg" | "image/gif" | "image/webp";
}

export interface SpaceParent {
  roomId: string;
  /** Clients show it to those who look at the Space. */
  suggested: boolean;
  /** Where it stands in the Space's list: sorted by this text, those without one at the end. */
  order?: string;
}

/** Checks from outside; runs on create and whenever an input changed. A failing check fails the update. */
export interface VerificationInputs extends HomeserverAccess {
  publicHost: string;
  /**
   * How the host itself reaches its proxy: `https://127.0.0.1:443`. Plain `http://` means that a tunnel ends TLS in front
   * of it and says who the clients are.
   */
  proxyUrl: string;
  /** Bytes; the limit of homeserver and proxy. */
  maxUploadBytes: number;
  federationPort: boolean;
  /** TCP ports that must be closed to the outside, with the name of what may listen there. */
  closedPorts: Record<string, string>;
  /** Where the well-known documents are served: on this stack's hosts or elsewhere. */
  delegation: "here" | "elsewhere";
  /** Base URL of a partner homeserver that is asked to send a signed federation request; absent: not checked. */
  partner?: string;
  /** Names to addresses, for names that are not in DNS (tests); empty: DNS is used and checked. */
  resolve: Record<string, string>;
  /** PEM file on this machine with authorities to trust besides the system's. */
  caFile?: string;
  /** Database checks on the host; `console` is the command that opens psql there as the server's superuser. */
  database: { name: string; role: string; maxConnections: number; console: string[] };
  /**
   * A command on a host, as root, that ends well or prints why the host could not renew the certificate. Absent: the operator
   * renews it.
   */
  renewal?: { connection: Connection; argv: string[] };
  /**
   * Backups: the command on the host that prints when they last succeeded, and the age at which the check fails. Absent: the stack has
   * none.
   */
  backup?: { state: string[]; maxAgeSeconds: number; drill: boolean };
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
