import { z } from "zod";
import { DEFAULT_BLOCKED_RANGES } from "../language/addresses";
import { cidr, remoteServerName } from "../language/common";

/** Which servers the homeserver talks to. Ranges can only be added to the safe default. */
export const federationSchema = z.strictObject({
  allowlist: z
    .array(remoteServerName.meta({ description: "A server to federate with.", examples: ["matrix.org"] }))
    .optional()
    .meta({
      description:
        "The only servers to federate with; this server itself is always included. Absent: all servers. Empty: none. Users can still join rooms that include other servers, but they do not see the events of those servers.",
      examples: [["matrix.org", "kde.org"]],
    }),
  blockedRanges: z
    .array(cidr.meta({ description: "An address range.", examples: ["198.51.100.0/24"] }))
    .default([])
    .meta({
      description: `Ranges that Synapse must not connect to, in addition to the ${DEFAULT_BLOCKED_RANGES.length} private and special ranges, which are always blocked. At home: your own global IPv6 prefix, if it is stable.`,
    }),
  allowedRanges: z
    .array(cidr.meta({ description: "An address range.", examples: ["10.20.0.0/24"] }))
    .default([])
    .meta({
      description:
        "Exceptions: blocked ranges that Synapse may connect to, for a partner in a private network. Requests of every remote server and user can then reach these ranges; the setting does not control who may connect to this server.",
    }),
  trustedKeyServers: z
    .array(remoteServerName.meta({ description: "A server name.", examples: ["matrix.org"] }))
    .optional()
    .meta({
      description:
        "Servers that provide the signing keys of other servers. Absent: matrix.org if federation reaches it, else none (each server provides its own keys). Empty: none.",
    }),
});
