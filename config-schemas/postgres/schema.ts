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
    .meta({ description: "Name of the database; made with collation C." }),
  role: identifier.default("matrix-synapse").meta({
    description:
      "Role that owns the database. With `peer` it must be the system user of Synapse, `matrix-synapse`.",
  }),
  authentication: z
    .enum(["peer", "password"])
    .optional()
    .meta({
      description:
        "`peer`: by system user over the socket, no password. `password`: made on the host, kept in a password file. Default: `peer`; in containers, which all are one user, always `password`.",
      examples: ["password"],
    }),
  image: imageName.optional().meta({
    description: `Image of the container (\`runtime: quadlet\`); its major version must be that of the data. Default: ${IMAGE}. With its digest after the tag (\`…@sha256:…\`) it stays the same when the tag is moved.`,
    examples: [IMAGE],
  }),
  memory: size.optional().meta({
    description: `Most memory of the container (\`runtime: quadlet\`), which settings are computed for. Default: ${MEMORY}.`,
    examples: [MEMORY],
  }),
  tuning: z.enum(["auto", "none"]).default("auto").meta({
    description:
      "`auto`: memory settings computed from the host's memory, in containers from `memory`. `none`: Postgres' own defaults.",
  }),
  pool: z
    .strictObject({
      min: z.int().min(1).default(5).meta({ description: "Connections that Synapse keeps open." }),
      max: z.int().min(1).default(10).meta({ description: "Connections that Synapse opens at most." }),
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
      z.union([z.string(), z.number(), z.boolean()], { error: "a text, a number, true or false" }),
    )
    .default({})
    .meta({
      description:
        "Settings of Postgres over the computed ones, by Postgres' own names. Those that log statements (`log_statement`, `log_min_duration_statement` …) bring users' access tokens into its log; a preview warns of them.",
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

/** Most memory of the container, MiB. */
export function postgresMemoryMiB({ memory = MEMORY }: PostgresConfig): number {
  return Math.floor(parseSize(memory) / 1024 ** 2);
}
