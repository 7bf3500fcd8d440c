import { z } from "zod";
import { hostName } from "./common";

const identifier = z
  .string()
  .regex(
    /^[a-z_][a-z0-9_-]{0,62}$/,
    "a Postgres name: lower-case letters, digits, _ and -, at most 63, e.g. synapse",
  );

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
  authentication: z.enum(["peer", "password"]).default("peer").meta({
    description:
      "`peer`: by system user over the socket, no password. `password`: made on the host, kept in a password file.",
  }),
  tuning: z.enum(["auto", "none"]).default("auto").meta({
    description: "`auto`: memory settings computed from the host's memory. `none`: Postgres' own defaults.",
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
      z.string().regex(/^[a-z_]+(\.[a-z_]+)?$/, "a setting of Postgres, e.g. log_min_duration_statement"),
      z.union([z.string(), z.number(), z.boolean()], { error: "a text, a number, true or false" }),
    )
    .default({})
    .meta({
      description: "Settings of Postgres over the computed ones, by Postgres' own names.",
      examples: [{ log_min_duration_statement: "500ms" }],
    }),
});

export type PostgresConfig = z.output<typeof postgresSchema>;
