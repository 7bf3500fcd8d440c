import type { VerificationInputs } from "../../contract/matrix";
import { connectionShape } from "../../protocol/connection";
import { flag, integer, list, object, oneOf, optional, record, type Shape, text } from "../../protocol/shape";
import { isObject, type Properties } from "../../protocol/values";
import { accessMembers, withAccess } from "../access";

const dnsName = text({ pattern: /^[A-Za-z0-9.-]+(:\d+)?$/, write: "a DNS name" });
const path = text({ pattern: /^\//, write: "an absolute path on the host" });
const bytes = integer(0, Number.MAX_SAFE_INTEGER);

/** What the checks need to know; the program fills it from the stack file, `hearth verify` from the stack's state. */
export const verificationShape: Shape<VerificationInputs> = object<VerificationInputs>({
  ...accessMembers,
  publicHost: dnsName,
  proxyUrl: text({ pattern: /^https?:\/\/[^/]+:\d+$/, write: "http(s)://address:port" }),
  maxUploadBytes: bytes,
  federationPort: flag,
  closedPorts: record(
    text({ pattern: /^[1-9]\d{0,4}$/, write: "a port" }),
    text({ pattern: /./, write: "what listens there" }),
  ),
  delegation: oneOf("here", "elsewhere"),
  partner: optional(text({ pattern: /^https:\/\/[^/]+\/?$/, write: "https://name" })),
  resolve: record(dnsName, text({ pattern: /^[0-9A-Fa-f.:]+$/, write: "an IP address" })),
  caFile: optional(text({ pattern: /./, write: "the path of a PEM file" })),
  database: object<VerificationInputs["database"]>({
    name: text({ pattern: /./, write: "the database's name" }),
    role: text({ pattern: /./, write: "the database role" }),
    maxConnections: integer(1, 100_000),
    console: list(text({ pattern: /./, write: "a word of the command" })),
  }),
  renewal: optional(
    object<NonNullable<VerificationInputs["renewal"]>>({
      connection: connectionShape,
      argv: list(text({ pattern: /./, write: "a word of the command" })),
    }),
  ),
  backup: optional(
    object<NonNullable<VerificationInputs["backup"]>>({
      state: list(text({ pattern: /./, write: "a word of the command" })),
      maxAgeSeconds: integer(1, Number.MAX_SAFE_INTEGER),
      drill: flag,
    }),
  ),
  mediaPath: path,
  mediaLimitBytes: bytes,
  logFile: path,
  revisions: record(text({ pattern: /./, write: "a name" }), text({ write: "a digest" })),
});

/**
 * Inputs as a state of an earlier version may hold them, completed: TLS ended at the host's own proxy, the closed ports were
 * those of the usual programs, and the database was the one that psql finds by itself.
 */
export function completed(inputs: Properties): Properties {
  const full = withAccess({ proxyUrl: "https://127.0.0.1:443", ...withPorts(inputs) });
  const { database } = full;
  if (!isObject(database) || Array.isArray(database.console)) return full;
  return { ...full, database: { ...database, console: full.scope === "user" ? CONTAINER : PACKAGE } };
}

/** Earlier versions always tried the ports of the usual programs. */
export function withPorts(inputs: Properties): Properties {
  return { closedPorts: USUAL_PORTS, ...inputs };
}

const USUAL_PORTS = { 5432: "Postgres", 8008: "homeserver", 9000: "metrics" };
const PACKAGE = ["runuser", "-u", "postgres", "--", "psql"];
const CONTAINER = [
  ...["podman", "exec", "--interactive", "hearth-postgres"],
  ...["psql", "--username=postgres", "--no-password"],
];
