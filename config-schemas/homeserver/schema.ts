import { z } from "zod";
import { DEFAULT_BLOCKED_RANGES } from "../language/addresses";
import {
  cidr,
  days,
  dnsName,
  hostName,
  imageName,
  ipAddress,
  ownServerName,
  parseSize,
  port,
  size,
} from "../language/common";
import { federationSchema } from "./federation";
import { mediaSchema, retentionSchema } from "./lifetimes";
import { rateLimitsSchema } from "./rate-limits";
import { captchaSchema, emailSchema, type RegistrationRequirement, registrationSchema } from "./registration";

const IMAGE = "ghcr.io/element-hq/synapse";
const MEMORY = "1024M";

const listenerSchema = z.strictObject({
  port: port.default(8008).meta({ description: "Its port." }),
  bindAddresses: z
    .array(ipAddress.meta({ description: "A loopback address.", examples: ["127.0.0.1"] }))
    .min(1)
    .default(["127.0.0.1"])
    .meta({
      description:
        "Its addresses. Loopback only: nothing else protects the admin API. Containers are published on the IPv4 addresses.",
    }),
});

const loggingSchema = z.strictObject({
  level: z.enum(["DEBUG", "INFO", "WARNING", "ERROR"]).default("WARNING").meta({
    description: "What Synapse writes to its log file. INFO is needed to follow individual requests.",
  }),
  keep: days.default("14d").meta({ description: "How long log files are kept; there is one file per day." }),
});

const urlPreviewsSchema = z.strictObject({
  enabled: z.boolean().default(false).meta({
    description:
      "Whether the server fetches pages that users link to. In encrypted rooms this reveals the link to the server.",
  }),
  blockedRanges: z
    .array(cidr.meta({ description: "An address range.", examples: ["198.51.100.0/24"] }))
    .default([])
    .meta({
      description: "Address ranges that are never fetched, in addition to the private and special ranges.",
    }),
  blockedHosts: z
    .array(
      z
        .string()
        .regex(/^[a-z0-9*.-]+$/, "a host name in lower case, * for any part, e.g. *.example.net")
        .meta({ description: "A host name, `*` for any part.", examples: ["*.example.net"] }),
    )
    .default([])
    .meta({ description: "Hosts that are never fetched." }),
});

const roomDirectorySchema = z.strictObject({
  search: z.boolean().default(true).meta({ description: "Whether users can search the room directory." }),
  publish: z
    .enum(["admins", "everyone"])
    .default("admins")
    .meta({ description: "Who may publish rooms in the directory." }),
  federated: z
    .boolean()
    .default(false)
    .meta({ description: "Whether other servers may read the directory." }),
});

const passwordPolicySchema = z.strictObject({
  minimumLength: z
    .int()
    .min(8)
    .max(128)
    .default(12)
    .meta({ description: "Minimum length of passwords that users choose." }),
  requireDigit: z.boolean().default(false).meta({ description: "Require at least one digit." }),
  requireSymbol: z.boolean().default(false).meta({ description: "Require at least one symbol." }),
  requireLowercase: z
    .boolean()
    .default(false)
    .meta({ description: "Require at least one lower-case letter." }),
  requireUppercase: z
    .boolean()
    .default(false)
    .meta({ description: "Require at least one upper-case letter." }),
});

const limitsSchema = z.strictObject({
  cacheFactor: z
    .number()
    .min(0.05)
    .max(20)
    .default(0.5)
    .meta({
      description: "Factor for the size of all caches. 0.5 suits small hosts; with more memory use 1 to 10.",
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
    description: "The part after the colon of user IDs. Cannot change once the server has users.",
    examples: ["example.org"],
  }),
  publicHost: dnsName.meta({
    description: "Host name at which clients and servers reach it. May equal `serverName`.",
    examples: ["matrix.example.org"],
  }),
  install: z
    .enum(["pypi", "apt"])
    .optional()
    .meta({
      description:
        "Source of its packages (`runtime: native`). `pypi`, the default: a pinned release in its own Python environment. `apt`: the vendor's repository (amd64 only).",
      examples: ["apt"],
    }),
  image: imageName.optional().meta({
    description: `Image of the container (\`runtime: quadlet\`), for the release in \`version\`. Default: ${IMAGE}:v<version>. With a digest after the tag (\`…@sha256:…\`) the image stays the same when the tag moves.`,
    examples: [`${IMAGE}:v1.163.2`],
  }),
  memory: size.optional().meta({
    description: `Memory limit of the container (\`runtime: quadlet\`). Default: ${MEMORY}.`,
    examples: [MEMORY],
  }),
  version: z
    .string()
    .regex(/^\d+\.\d+\.\d+(rc\d+)?$/, "a release of Synapse, e.g. 1.163.2")
    .meta({
      description:
        "Release of Synapse. With `install: pypi` the release needs a lock; `npm run lock -- VERSION` creates one.",
      examples: ["1.163.2"],
    }),
  listener: listenerSchema.optional().meta({
    description:
      "A TCP port on loopback for other programs on the host, such as bridges. Absent: no port; the proxy and Hearth itself use a unix socket that no other user can reach or replace.",
    examples: [{ port: 8008 }],
  }),
  registration: registrationSchema
    .prefault({ mode: "closed" })
    .meta({ description: "Who can register an account.", examples: [{ mode: "closed" }] }),
  email: emailSchema
    .optional()
    .meta({ description: "Outgoing mail: verification at registration, password resets. Absent: no mail." }),
  captcha: captchaSchema.optional().meta({ description: "Captcha at registration." }),
  federation: federationSchema.prefault({}).meta({ description: "Which servers this server talks to." }),
  media: mediaSchema.prefault({}).meta({ description: "Uploads, thumbnails and how long media are kept." }),
  retention: retentionSchema
    .optional()
    .meta({ description: "How long messages are kept. Absent: permanently." }),
  logging: loggingSchema.prefault({}).meta({ description: "Synapse's log file." }),
  rateLimits: rateLimitsSchema
    .prefault({})
    .meta({ description: "Limits on how often users and servers may act." }),
  presence: z
    .union([z.boolean(), z.literal("untracked")], { error: "true, false or untracked" })
    .default(true)
    .meta({
      description:
        "Online and last-active states. `false` saves much federation traffic; `untracked` passes on states from others and tracks none itself.",
    }),
  urlPreviews: urlPreviewsSchema.prefault({}).meta({ description: "Previews of linked pages." }),
  encryptionByDefault: z.enum(["none", "invite", "all"]).default("invite").meta({
    description:
      "Which new rooms are encrypted unless a client decides otherwise: none, only invite-only rooms, all.",
  }),
  roomDirectory: roomDirectorySchema.prefault({}).meta({ description: "The list of public rooms." }),
  passwordPolicy: passwordPolicySchema
    .prefault({})
    .meta({ description: "Rules for passwords that users choose." }),
  limits: limitsSchema
    .prefault({})
    .meta({ description: "Limits that keep Synapse within the host's memory." }),
  reportStatistics: z
    .boolean()
    .default(false)
    .meta({ description: "Send anonymous usage statistics to Synapse's developers." }),
  extra: z
    .record(z.string(), z.json())
    .default({})
    .meta({
      description:
        "Synapse settings without a key here, under Synapse's own names. Hearth refuses a name that it sets itself, that needs a secret, or that this release of Synapse does not know.",
      examples: [{ user_ips_max_age: "14d" }],
    }),
});

export type HomeserverConfig = z.output<typeof homeserverSchema>;

/** Where the packages of a native installation come from. */
export function installSource({ install = "pypi" }: HomeserverConfig): "pypi" | "apt" {
  return install;
}

/** Image of the container. */
export function homeserverImage({ version, image = `${IMAGE}:v${version}` }: HomeserverConfig): string {
  return image;
}

/** Most memory of the container, MiB. */
export function homeserverMemoryMiB({ memory = MEMORY }: HomeserverConfig): number {
  return Math.floor(parseSize(memory) / 1024 ** 2);
}

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
