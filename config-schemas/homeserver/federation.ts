import { z } from "zod";
import { DEFAULT_BLOCKED_RANGES } from "../language/addresses";
import { cidr, remoteServerName } from "../language/common";

/** Whom the homeserver talks to. Ranges are only ever added to the safe default. */
export const federationSchema = z.strictObject({
  allowlist: z
    .array(remoteServerName.meta({ description: "A server to federate with.", examples: ["matrix.org"] }))
    .optional()
    .meta({
      description:
        "The only servers to federate with; this server itself is always among them. Absent: all servers. Empty: none. It does not stop users from joining rooms that other servers are in too: their events are missing there.",
      examples: [["matrix.org", "kde.org"]],
    }),
  blockedRanges: z
    .array(cidr.meta({ description: "An address range.", examples: ["198.51.100.0/24"] }))
    .default([])
    .meta({
      description: `Ranges that Synapse must not connect to, in addition to the ${DEFAULT_BLOCKED_RANGES.length} private and special ones, which are always blocked. At home: your own global IPv6 prefix, where it is stable.`,
    }),
  allowedRanges: z
    .array(cidr.meta({ description: "An address range.", examples: ["10.20.0.0/24"] }))
    .default([])
    .meta({
      description:
        "Exceptions: blocked ranges that Synapse may connect to after all, for a partner in a private network. This opens them to every remote server's and user's requests; it says nothing about who may connect to us.",
    }),
  trustedKeyServers: z
    .array(remoteServerName.meta({ description: "A server name.", examples: ["matrix.org"] }))
    .optional()
    .meta({
      description:
        "Servers asked for other servers' signing keys. Absent: matrix.org if federation reaches it, else none (keys come from their own servers). Empty: none.",
    }),
});
