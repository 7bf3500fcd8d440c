import type { Row } from "./row";

export const POSTGRES: Row[] = [
  {
    rule: "peer authentication uses the system user",
    good: { postgres: { role: "chat", authentication: "password" } },
    bad: { postgres: { role: "chat" } },
    says: [
      "hearth:postgres.role: is chat, but Synapse runs as matrix-synapse and peer authentication uses that name | write `role: matrix-synapse`, or `authentication: password`",
    ],
  },
  {
    rule: "Synapse is not the superuser",
    good: {},
    bad: { postgres: { role: "postgres", authentication: "password" } },
    says: [
      "hearth:postgres.role: is postgres, the superuser of the whole cluster | write `role: matrix-synapse`",
    ],
  },
  {
    rule: "the database is Synapse's own",
    good: { postgres: { database: "template2" } },
    bad: { postgres: { database: "template1" } },
    says: [
      "hearth:postgres.database: is template1, which belongs to Postgres itself and has another collation | write `database: synapse`",
    ],
  },
  {
    rule: "the smallest pool is not above the largest",
    good: { postgres: { pool: { min: 10, max: 10 } } },
    bad: { postgres: { pool: { min: 11, max: 10 } } },
    says: ["hearth:postgres.pool.min: is 11, above max (10) | lower it, or raise max"],
  },
  {
    rule: "Postgres allows as many connections as the pool opens",
    good: { postgres: { settings: { max_connections: 20 } } },
    bad: { postgres: { settings: { max_connections: "19" } } },
    says: [
      "hearth:postgres.settings.max_connections: is 19, too few for Synapse's pool of 10 and 10 for backups and checks | write at least 20, or lower hearth:postgres.pool.max",
    ],
  },
  {
    rule: "unsafe settings and settings that Hearth sets are refused",
    good: { postgres: { settings: { synchronous_commit: "on" } } },
    bad: { postgres: { settings: { listen_addresses: "*", fsync: false } } },
    says: [
      "hearth:postgres.settings.listen_addresses: is not allowed in `settings` | remove it; the database uses a socket and is never opened to a network",
      "hearth:postgres.settings.fsync: is not allowed in `settings` | remove it; without it a power cut destroys the database",
    ],
  },
];
