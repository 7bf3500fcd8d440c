import type { VerificationInputs } from "../../contract/matrix";
import { connectionShape } from "../../protocol/connection";
import { flag, integer, object, oneOf, optional, record, type Shape, text } from "../../protocol/shape";

const dnsName = text({ pattern: /^[A-Za-z0-9.-]+(:\d+)?$/, write: "a DNS name" });
const path = text({ pattern: /^\//, write: "an absolute path on the host" });
const bytes = integer(0, Number.MAX_SAFE_INTEGER);

/** What the checks need to know; the program fills it from the stack file, `hearth verify` from the stack's state. */
export const verificationShape: Shape<VerificationInputs> = object<VerificationInputs>({
  connection: connectionShape,
  serverName: dnsName,
  publicHost: dnsName,
  homeserverUrl: text({ pattern: /^http:\/\/[^/]+$/, write: "http://address:port" }),
  registrationSecretPath: path,
  maxUploadBytes: bytes,
  federationPort: flag,
  delegation: oneOf("here", "elsewhere"),
  partner: optional(text({ pattern: /^https:\/\/[^/]+\/?$/, write: "https://name" })),
  resolve: record(dnsName, text({ pattern: /^[0-9A-Fa-f.:]+$/, write: "an IP address" })),
  caFile: optional(text({ pattern: /./, write: "the path of a PEM file" })),
  database: object<VerificationInputs["database"]>({
    name: text({ pattern: /./, write: "the database's name" }),
    role: text({ pattern: /./, write: "the database role" }),
    maxConnections: integer(1, 100_000),
  }),
  mediaPath: path,
  mediaLimitBytes: bytes,
  logFile: path,
  revisions: record(text({ pattern: /./, write: "a name" }), text({ write: "a digest" })),
});
