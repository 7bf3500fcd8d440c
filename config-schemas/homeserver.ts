import { z } from "zod";
import { DEFAULT_BLOCKED_RANGES } from "./addresses";
import {
  cidr,
  days,
  dnsName,
  duration,
  hostName,
  ipAddress,
  ownServerName,
  port,
  remoteServerName,
  size,
} from "./common";
import { federationSchema } from "./homeserver-federation";
import { rateLimitsSchema } from "./homeserver-rate-limits";
import {
  captchaSchema,
  emailSchema,
  type RegistrationRequirement,
  registrationSchema,
} from "./homeserver-registration";

const listenerSchema = z.strictObject({
  port: port.default(8008).meta({ description: "Port on which the proxy reaches Synapse." }),
  bindAddresses: z
    .array(ipAddress.meta({ description: "A loopback address.", examples: ["127.0.0.1"] }))
    .min(1)
    .default(["127.0.0.1", "::1"])
    .meta({
      description: "Addresses that Synapse listens on. Loopback only: its admin API has no other fence.",
    }),
});

const mediaSchema = z.strictObject({
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

const retentionSchema = z.strictObject({
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

const loggingSchema = z.strictObject({
  level: z
    .enum(["DEBUG", "INFO", "WARNING", "ERROR"])
    .default("WARNING")
    .meta({ description: "What Synapse writes to its log file. INFO is needed to follow single requests." }),
  keep: days.default("14d").meta({ description: "How long log files are kept; one file per day." }),
});

const urlPreviewsSchema = z.strictObject({
  enabled: z.boolean().default(false).meta({
    description:
      "The server fetches pages that users link to. In encrypted rooms this tells the server the link.",
  }),
  blockedRanges: z
    .array(cidr.meta({ description: "An address range.", examples: ["198.51.100.0/24"] }))
    .default([])
    .meta({ description: "Ranges never fetched from, in addition to the private and special ones." }),
  blockedHosts: z
    .array(
      z
        .string()
        .regex(/^[a-z0-9*.-]+$/, "a host name in lower case, * for any part, e.g. *.example.net")
        .meta({ description: "A host name, `*` for any part.", examples: ["*.example.net"] }),
    )
    .default([])
    .meta({ description: "Hosts never fetched from." }),
});

const roomDirectorySchema = z.strictObject({
  search: z.boolean().default(true).meta({ description: "Users can search the room directory." }),
  publish: z
    .enum(["admins", "everyone"])
    .default("admins")
    .meta({ description: "Who may publish rooms in the directory." }),
  federated: z.boolean().default(false).meta({ description: "Other servers may read the directory." }),
});

const passwordPolicySchema = z.strictObject({
  minimumLength: z
    .int()
    .min(8)
    .max(128)
    .default(12)
    .meta({ description: "Shortest password that users may choose." }),
  requireDigit: z.boolean().default(false).meta({ description: "At least one digit." }),
  requireSymbol: z.boolean().default(false).meta({ description: "At least one symbol." }),
  requireLowercase: z.boolean().default(false).meta({ description: "At least one lower-case letter." }),
  requireUppercase: z.boolean().default(false).meta({ description: "At least one upper-case letter." }),
});

const limitsSchema = z.strictObject({
  cacheFactor: z
    .number()
    .min(0.05)
    .max(20)
    .default(0.5)
    .meta({
      description: "Size of all caches. 0.5 suits small machines; more memory allows 1 to 10.",
      examples: [0.5],
    }),
  maxRoomComplexity: z
    .number()
    .positive()
    .optional()
    .meta({
      description:
        "Users cannot join remote rooms above this complexity (1.0 is about 500 state events). Absent: not limited.",
      examples: [1],
    }),
});

/** The Matrix homeserver: Synapse. */
export const homeserverSchema = z.strictObject({
  host: hostName.meta({ description: "Host that runs it.", examples: ["vps"] }),
  serverName: ownServerName.meta({
    description: "The part after the colon of user IDs. Can never change once the server has users.",
    examples: ["example.org"],
  }),
  publicHost: dnsName.meta({
    description: "Host name at which clients and servers reach it. May equal `serverName`.",
    examples: ["matrix.example.org"],
  }),
  install: z.enum(["pypi", "apt"]).default("pypi").meta({
    description:
      "`pypi`: pinned release in an environment of its own. `apt`: the vendor's repository (amd64 only).",
  }),
  version: z
    .string()
    .regex(/^\d+\.\d+\.\d+(rc\d+)?$/, "a release of Synapse, e.g. 1.163.2")
    .meta({ description: "Release of Synapse.", examples: ["1.163.2"] }),
  listener: listenerSchema.prefault({}).meta({ description: "Where Synapse listens, behind the proxy." }),
  registration: registrationSchema
    .prefault({ mode: "closed" })
    .meta({ description: "Who can register an account.", examples: [{ mode: "closed" }] }),
  email: emailSchema
    .optional()
    .meta({ description: "Outgoing mail: verification at registration, password resets. Absent: no mail." }),
  captcha: captchaSchema.optional().meta({ description: "Captcha at registration." }),
  federation: federationSchema.prefault({}).meta({ description: "Whom this server talks to." }),
  media: mediaSchema.prefault({}).meta({ description: "Uploads, thumbnails and how long media are kept." }),
  retention: retentionSchema
    .optional()
    .meta({ description: "How long messages are kept. Absent: for ever." }),
  logging: loggingSchema.prefault({}).meta({ description: "Synapse's log file." }),
  rateLimits: rateLimitsSchema.prefault({}).meta({ description: "Limits on how often things may be done." }),
  presence: z
    .union([z.boolean(), z.literal("untracked")], { error: "true, false or untracked" })
    .default(true)
    .meta({
      description:
        "Online and last-active states. `false` saves much federation traffic; `untracked` passes on what others send and tracks nothing itself.",
    }),
  urlPreviews: urlPreviewsSchema.prefault({}).meta({ description: "Previews of linked pages." }),
  encryptionByDefault: z.enum(["none", "invite", "all"]).default("invite").meta({
    description: "New rooms that are encrypted unless asked otherwise: none, invite-only ones, all.",
  }),
  roomDirectory: roomDirectorySchema.prefault({}).meta({ description: "The list of public rooms." }),
  passwordPolicy: passwordPolicySchema
    .prefault({})
    .meta({ description: "Rules for passwords that users choose." }),
  limits: limitsSchema.prefault({}).meta({ description: "Keeping within the machine's memory." }),
  reportStatistics: z
    .boolean()
    .default(false)
    .meta({ description: "Send anonymous usage statistics to Synapse's makers." }),
  extra: z
    .record(z.string(), z.json())
    .default({})
    .meta({
      description:
        "Settings of Synapse that have no key here, by Synapse's own names. A name that Hearth sets, that needs a secret, or that this Synapse does not know is refused.",
      examples: [{ user_ips_max_age: "14d" }],
    }),
});

export type HomeserverConfig = z.output<typeof homeserverSchema>;

const DEFAULT_KEY_SERVER = "matrix.org";

/** What a newcomer has to show; empty when registration is closed. */
export function registrationRequirements(config: HomeserverConfig): readonly RegistrationRequirement[] {
  return config.registration.mode === "open" ? config.registration.require : [];
}

/** The servers to federate with, this one included; `undefined` for all, `[]` for none at all. */
export function federationAllowlist(config: HomeserverConfig): string[] | undefined {
  const { allowlist } = config.federation;
  if (allowlist === undefined || allowlist.length === 0) return allowlist;
  return [...new Set([config.serverName, ...allowlist])];
}

/** The servers asked for signing keys, with the default resolved. */
export function trustedKeyServers(config: HomeserverConfig): string[] {
  const { allowlist, trustedKeyServers: chosen } = config.federation;
  if (chosen !== undefined) return chosen;
  return allowlist === undefined || allowlist.includes(DEFAULT_KEY_SERVER) ? [DEFAULT_KEY_SERVER] : [];
}

/** Every range that Synapse must not connect to, the safe default first. */
export function blockedRanges(config: HomeserverConfig): string[] {
  return [...new Set([...DEFAULT_BLOCKED_RANGES, ...config.federation.blockedRanges])];
}

/** Every range that URL previews must not fetch from, the safe default first. */
export function previewBlockedRanges(config: HomeserverConfig): string[] {
  return [...new Set([...blockedRanges(config), ...config.urlPreviews.blockedRanges])];
}
