import { z } from "zod";
import { duration, remoteServerName, size } from "../language/common";

/** Uploads, thumbnails and how long media are kept. */
export const mediaSchema = z.strictObject({
  maxUploadSize: size
    .default("50M")
    .meta({ description: "Largest upload, at Synapse and at the proxy.", examples: ["100M"] }),
  maxImagePixels: size.default("32M").meta({
    description: "Largest image of which thumbnails are made, in pixels (M: 1024 × 1024).",
    examples: ["32M"],
  }),
  remoteLifetime: duration.optional().meta({
    description: "Media of other servers are deleted here so long after their last access. Absent: kept.",
    examples: ["90d"],
  }),
  localLifetime: duration.optional().meta({
    description:
      "Our users' media are deleted so long after their last access, for good. Absent: kept. Avatars are kept.",
    examples: ["365d"],
  }),
  uploadLimits: z
    .array(
      z.strictObject({
        period: duration.meta({ description: "Length of the period.", examples: ["1d"] }),
        size: size.meta({ description: "What one user may upload in it.", examples: ["1G"] }),
      }),
    )
    .default([])
    .meta({ description: "Limits on what one user uploads in a period." }),
  blockedServers: z
    .array(remoteServerName.meta({ description: "A server name.", examples: ["spam.example.net"] }))
    .default([])
    .meta({ description: "Servers whose media are never fetched." }),
});

/** How long messages are kept. */
export const retentionSchema = z.strictObject({
  maxLifetime: duration.meta({
    description:
      "Messages older than this are hidden, then purged here. Room state and the last event of a room stay; other servers keep their copies.",
    examples: ["365d"],
  }),
  allowedMin: duration.optional().meta({
    description: "Shortest lifetime that a room may set for itself. Absent: any.",
    examples: ["1d"],
  }),
  allowedMax: duration.optional().meta({
    description: "Longest lifetime that a room may set for itself. Absent: any.",
    examples: ["1y"],
  }),
  purgeInterval: duration.default("6h").meta({
    description:
      "How often expired messages are purged. Counts from Synapse's start, so it must be shorter than the machine runs.",
    examples: ["1d"],
  }),
});
