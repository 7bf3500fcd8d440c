import type { VerificationInputs } from "../../contract/matrix";
import { bytes, type Finding, fail, notChecked, pass } from "./finding";

/** A disk with less than this left is about to stop the database, bytes. */
const LEAST_FREE = 1024 ** 3;

/** What provider/matrix/programs/verify.py saw; `error`: why that question has no answer. */
export interface Observations {
  admin: Failed;
  upload?: Failed & {
    bytes?: number;
    status?: number;
    hungUp?: string;
    message?: string | null;
    removed?: string | null;
  };
  /** Behind a tunnel only. */
  aboveLimit?: Failed & { status?: number; hungUp?: string };
  forwardedAddress?: Failed & {
    forged?: string;
    believed?: boolean;
    seen?: string[];
    behindTunnel?: boolean;
  };
  destinations?: Failed & { known?: number; failing?: number; names?: string[] };
  database: Failed & { sqlite: string[]; connections?: number; available?: number };
  backup?: Failed & { since?: number | null; backup?: JobSeen; drill?: JobSeen };
  media: Failed & { used?: number; free?: number; size?: number };
  log: Failed & { warnings?: Record<string, number>; errors?: string[]; errorCount?: number };
}

/** When a job last succeeded, and a failure after it, in seconds since 1970. */
export interface JobSeen {
  succeeded: number | null;
  failed?: number;
  reason?: string;
}

interface Failed {
  error?: string;
}

/** Checks that need Hearth's own admin account share one reason when there is none. */
function blocked(seen: Observations, part: Failed | undefined): Finding | undefined {
  const why = seen.admin.error ?? (part === undefined ? "the host gave no answer" : part.error);
  return why === undefined
    ? undefined
    : notChecked(why, "see that the homeserver and the proxy run on the host");
}

export function judgeUpload(seen: Observations): Finding {
  const { upload } = seen;
  const open = blocked(seen, upload);
  if (open !== undefined || upload === undefined) return open ?? notChecked("no answer");
  const size = `${bytes(upload.bytes ?? 0)} (${upload.bytes} bytes)`;
  if (upload.status === 413 || upload.hungUp !== undefined) {
    const how = upload.status === 413 ? "refused as too large" : `cut off by the proxy (${upload.hungUp})`;
    return fail(`an upload of ${size} was ${how}`, "make the proxy's body limit equal to max_upload_size");
  }
  if (upload.status !== 200) {
    return fail(
      `an upload of ${size} was answered with ${upload.status} ${upload.message ?? ""}`.trim(),
      "look at the proxy's error log and the homeserver's log: time limits, disk space",
    );
  }
  if (upload.removed !== "yes") {
    return fail(
      `an upload of ${size} passed but could not be removed: ${upload.removed}`,
      "remove it with the media admin API",
    );
  }
  return pass(`${size} uploaded through the proxy and removed again`);
}

export function judgeForwardedAddress(seen: Observations): Finding {
  const { forwardedAddress: forwarded } = seen;
  const open = blocked(seen, forwarded);
  if (open !== undefined || forwarded === undefined) return open ?? notChecked("no answer");
  if (forwarded.behindTunnel) {
    return notChecked("a tunnel on the host says who the clients are, and the host itself can speak like it");
  }
  if (forwarded.believed) {
    return fail(
      `a client that sent X-Forwarded-For: ${forwarded.forged} was taken for that address`,
      "let the proxy overwrite the header with the real address (nginx: `proxy_set_header X-Forwarded-For $remote_addr`)",
    );
  }
  if (forwarded.seen?.length === 0) {
    return notChecked(
      "the homeserver recorded no address for the request",
      "see that the proxy passes to this homeserver",
    );
  }
  return pass(`a forged address was ignored; recorded was ${forwarded.seen?.join(", ")}`);
}

export function judgeDatabase(inputs: VerificationInputs, seen: Observations): Finding {
  const { name, role, maxConnections } = inputs.database;
  const { sqlite, connections, available, error } = seen.database;
  if (sqlite.length > 0) {
    return fail(
      `the homeserver has ${sqlite.join(", ")} open: SQLite`,
      "move to Postgres; SQLite does not carry a federating server",
    );
  }
  if (error !== undefined) return notChecked(error, "see that Postgres runs on the host");
  if (connections === undefined || connections === 0) {
    return fail(
      `no connection of ${role} to the database ${name}`,
      "see the homeserver's log and its database settings",
    );
  }
  if (connections > maxConnections) {
    return fail(
      `${connections} connections of ${role}, more than its pool's ${maxConnections}`,
      "end the homeserver process that should not run, or raise the pool's maximum",
    );
  }
  return pass(
    `${connections} of at most ${maxConnections} connections (Postgres allows ${available}), no SQLite`,
  );
}

export function judgeMedia(inputs: VerificationInputs, seen: Observations): Finding {
  const { used = 0, free = 0, size = 0, error } = seen.media;
  if (error !== undefined)
    return notChecked(error, "see that the homeserver has started once and media_store_path is right");
  const limit = inputs.mediaLimitBytes;
  const facts = `${bytes(used)} used${limit > 0 ? ` of ${bytes(limit)}` : ""}, ${bytes(free)} of ${bytes(size)} free`;
  if (limit > 0 && used > limit) {
    return fail(facts, "shorten media.remoteLifetime and media.localLifetime, or raise the limit");
  }
  if (free < LEAST_FREE) return fail(facts, "make room on the disk before the database stops");
  return pass(facts);
}

/** Other servers come and go: a warning about one of them is not a fault here. Errors, and reaching nobody at all, are. */
export function judgeLog(inputs: VerificationInputs, seen: Observations): Finding {
  const { error, errors = [], errorCount = 0, warnings = {} } = seen.log;
  if (error !== undefined) return notChecked(error, "set logFile to the homeserver's log");
  if (errorCount > 0) {
    return fail(
      `${errorCount} federation errors in the last hour, the last: ${errors.at(-1)}`,
      `read ${inputs.logFile}`,
    );
  }
  const { known = 0, failing = 0, names = [] } = seen.destinations ?? {};
  if (known > 0 && failing === known) {
    return fail(
      `none of the ${known} known servers can be reached (${names.join(", ")})`,
      "see the host's DNS, its outgoing port 443 and 8448, and the homeserver's blocked address ranges",
    );
  }
  const noisy = Object.entries(warnings).sort(([, a], [, b]) => b - a);
  const unreachable =
    failing > 0 ? `; ${failing} of ${known} servers cannot be reached (${names.join(", ")})` : "";
  const most = noisy.slice(0, 3).map(([name, count]) => `${name} ${count}×`);
  const warned =
    noisy.length === 0 ? "" : `, warnings about ${most.join(", ")}${noisy.length > 3 ? " and others" : ""}`;
  return pass(`no federation error in the last hour${warned}${unreachable}`);
}
