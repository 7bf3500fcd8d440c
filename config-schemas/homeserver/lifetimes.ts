import { z } from "zod";
import { duration, remoteServerName, size } from "../language/common";

/** Uploads, thumbnails and how long media are kept. */
export const mediaSchema = z.strictObject({
  maxUploadSize: size
    .default("50M")
    .meta({ description: "Largest upload, at Synapse and at the proxy.", examples: ["100M"] }),
  maxImagePixels: size.default("32M").meta({
    description: "Largest image that gets thumbnails, in pixels (M: 1024 × 1024).",
    examples: ["32M"],
  }),
  remoteLifetime: duration.optional().meta({
    description:
      "Local copies of other servers' media are deleted this long after their last access. Absent: kept.",
    examples: ["90d"],
  }),
  localLifetime: duration.optional().meta({
    description:
      "Media of this server's users are deleted permanently this long after their last access. Absent: kept. Avatars are kept.",
    examples: ["365d"],
  }),
  uploadLimits: z
    .array(
      z.strictObject({
        period: duration.meta({ description: "Length of the period.", examples: ["1d"] }),
        size: size.meta({ description: "How much one user may upload in the period.", examples: ["1G"] }),
      }),
    )
    .default([])
    .meta({ description: "Limits on how much one user uploads in a period." }),
  blockedServers: z
    .array(remoteServerName.meta({ description: "A server name.", examples: ["spam.example.net"] }))
    .default([])
    .meta({ description: "Servers whose media Synapse never fetches." }),
});

/** How long messages are kept. */
export const retentionSchema = z.strictObject({
  maxLifetime: duration.meta({
    description:
      "Messages older than this are hidden, then purged on this server. Room state and the last event of a room stay; other servers keep their copies.",
    examples: ["365d"],
  }),
  allowedMin: duration.optional().meta({
    description: "Shortest lifetime that a room may choose. Absent: any.",
    examples: ["1d"],
  }),
  allowedMax: duration.optional().meta({
    description: "Longest lifetime that a room may choose. Absent: any.",
    examples: ["1y"],
  }),
  purgeInterval: duration.default("6h").meta({
    description:
      "How often expired messages are purged. The time counts from Synapse's start, so it must be shorter than the uptime of the host.",
    examples: ["1d"],
  }),
});
