import type { Path } from "../language/fault";
import { type AnyRule, at, rule } from "../language/rule";
import { databaseAuthentication, type PostgresConfig } from "./schema";

/** The system user of Synapse. */
const SYNAPSE_USER = "matrix-synapse";
/** Connections for others than Synapse: superusers, backups, checks. */
const SPARE_CONNECTIONS = 10;

const OWN_SETTING = "remove it; Hearth or the distribution sets it";
const UNSAFE_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "remove it; the database uses a socket and is never opened to a network",
  port: OWN_SETTING,
  data_directory: OWN_SETTING,
  hba_file: OWN_SETTING,
  ident_file: OWN_SETTING,
  unix_socket_directories: OWN_SETTING,
  fsync: "remove it; without it a power cut destroys the database",
  full_page_writes: "remove it; without it a power cut destroys the database",
  password_encryption: "remove it; every value but scram-sha-256, the default, is weaker",
};

function maxConnections(postgres: PostgresConfig): number | undefined {
  const value = postgres.settings.max_connections;
  return value === undefined ? undefined : Number(value);
}

/** Rules about the database. */
export const postgresRules: readonly AnyRule[] = [
  rule({
    name: "peer authentication uses the system user",
    needs: ["postgres", "hosts"],
    when: ({ postgres, hosts }) => {
      const runtime = hosts[postgres.host]?.runtime ?? "native";
      const byUser = runtime === "native" && databaseAuthentication(postgres, runtime) === "peer";
      return at(byUser && postgres.role !== SYNAPSE_USER, "postgres", "role");
    },
    message: ({ postgres }) =>
      `is ${postgres.role}, but Synapse runs as ${SYNAPSE_USER} and peer authentication uses that name`,
    fix: `write \`role: ${SYNAPSE_USER}\`, or \`authentication: password\``,
  }),
  rule({
    name: "Synapse is not the superuser",
    needs: ["postgres"],
    when: ({ postgres }) => at(postgres.role === "postgres", "postgres", "role"),
    message: "is postgres, the superuser of the whole cluster",
    fix: `write \`role: ${SYNAPSE_USER}\``,
  }),
  rule({
    name: "the database is Synapse's own",
    needs: ["postgres"],
    when: ({ postgres }) =>
      at(["postgres", "template0", "template1"].includes(postgres.database), "postgres", "database"),
    message: ({ postgres }) =>
      `is ${postgres.database}, which belongs to Postgres itself and has another collation`,
    fix: "write `database: synapse`",
  }),
  rule({
    name: "the smallest pool is not above the largest",
    needs: ["postgres"],
    when: ({ postgres: { pool } }) => at(pool.min > pool.max, "postgres", "pool", "min"),
    message: ({ postgres: { pool } }) => `is ${pool.min}, above max (${pool.max})`,
    fix: "lower it, or raise max",
  }),
  rule({
    name: "Postgres allows as many connections as the pool opens",
    needs: ["postgres"],
    when: ({ postgres }) => {
      const limit = maxConnections(postgres);
      return at(
        limit !== undefined && !(limit >= postgres.pool.max + SPARE_CONNECTIONS),
        "postgres",
        "settings",
        "max_connections",
      );
    },
    message: ({ postgres }) =>
      `is ${maxConnections(postgres)}, too few for Synapse's pool of ${postgres.pool.max} and ${SPARE_CONNECTIONS} for backups and checks`,
    fix: ({ postgres }) =>
      `write at least ${postgres.pool.max + SPARE_CONNECTIONS}, or lower hearth:postgres.pool.max`,
  }),
  rule({
    name: "unsafe settings and settings that Hearth sets are refused",
    needs: ["postgres"],
    when: ({ postgres }) =>
      Object.keys(postgres.settings)
        .filter((name) => Object.hasOwn(UNSAFE_SETTINGS, name))
        .map((name): Path => ["postgres", "settings", name]),
    message: "is not allowed in `settings`",
    fix: (_stack, path) => UNSAFE_SETTINGS[String(path[2])] ?? "remove it",
  }),
];
