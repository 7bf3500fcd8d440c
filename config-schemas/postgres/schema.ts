import { z } from "zod";
import type { HostConfig } from "../hosts/schema";
import { hostName, imageName, parseSize, size } from "../language/common";

const identifier = z
  .string()
  .regex(
    /^[a-z_][a-z0-9_-]{0,62}$/,
    "a Postgres name: at most 63 lower-case letters, digits, _ and -, starting with a letter or _, e.g. synapse",
  );

const IMAGE = "docker.io/library/postgres:17.6";
const MEMORY = "512M";

/** The database server and the homeserver's database in it. */
export const postgresSchema = z.strictObject({
  host: hostName.meta({ description: "Host that runs it.", examples: ["vps"] }),
  database: identifier
    .default("synapse")
    .meta({ description: "Name of the database; created with collation C." }),
  role: identifier.default("matrix-synapse").meta({
    description:
      "Role that owns the database. With `peer` it must be Synapse's system user, `matrix-synapse`.",
  }),
  authentication: z
    .enum(["peer", "password"])
    .optional()
    .meta({
      description:
        "How Synapse logs in to Postgres. `peer`: as its system user over the socket, without a password. `password`: with a password that is created on the host and kept in a password file. Default: `peer`; in containers, which all run as one user, always `password`.",
      examples: ["password"],
    }),
  image: imageName.optional().meta({
    description: `Image of the container (\`runtime: quadlet\`); its major version must match the data. Default: ${IMAGE}. With a digest after the tag (\`…@sha256:…\`) the image stays the same when the tag moves.`,
    examples: [IMAGE],
  }),
  memory: size.optional().meta({
    description: `Memory limit of the container (\`runtime: quadlet\`); the memory settings are computed from it. Default: ${MEMORY}.`,
    examples: [MEMORY],
  }),
  tuning: z.enum(["auto", "none"]).default("auto").meta({
    description:
      "`auto`: memory settings are computed from the host's memory, in containers from `memory`. `none`: Postgres' own defaults.",
  }),
  pool: z
    .strictObject({
      min: z.int().min(1).default(5).meta({ description: "Connections that Synapse keeps open." }),
      max: z
        .int()
        .min(1)
        .default(10)
        .meta({ description: "Maximum number of connections that Synapse opens." }),
    })
    .prefault({})
    .meta({ description: "Synapse's connection pool." }),
  settings: z
    .record(
      z
        .string()
        .regex(
          /^[a-z_]+(\.[a-z_]+)?$/,
          "a setting of Postgres: lower-case letters and _, with one dot in an extension's, e.g. random_page_cost",
        ),
      z.union([z.string(), z.number(), z.boolean()], { error: "text, a number, true or false" }),
    )
    .default({})
    .meta({
      description:
        "Postgres settings under Postgres' own names; they override the computed ones. Settings that log statements (`log_statement`, `log_min_duration_statement` …) write users' access tokens to the log; a preview warns about them.",
      examples: [{ random_page_cost: 1.1 }],
    }),
});

export type PostgresConfig = z.output<typeof postgresSchema>;

/** How the role logs in. */
export function databaseAuthentication(
  { authentication }: PostgresConfig,
  runtime: HostConfig["runtime"],
): "peer" | "password" {
  return authentication ?? (runtime === "quadlet" ? "password" : "peer");
}

/** Image of the container. */
export function postgresImage({ image = IMAGE }: PostgresConfig): string {
  return image;
}

/** Memory limit of the container, in MiB. */
export function postgresMemoryMiB({ memory = MEMORY }: PostgresConfig): number {
  return Math.floor(parseSize(memory) / 1024 ** 2);
}
