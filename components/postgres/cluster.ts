import { databaseAuthentication, type PostgresConfig } from "../../config-schemas/postgres/schema";
import { columnOf } from "../../hosts/distributions";
import type { HostTask } from "../../provider/sdk";
import type { Layout } from "../../runtimes/layout";
import { SYSTEM_PLACES } from "../../runtimes/places";
import type { NativeProgram } from "../../runtimes/service";
import { UNIT } from "../homeserver/names";
import type { HostFacts } from "../hosts/facts";
import type { DatabaseAccess } from "./access";
import { type Console, databaseTask, program } from "./database";

const PASSWORD = "database-password";

/**
 * Postgres of the distribution, with our settings next to its own. Our settings belong to root, in a folder that belongs to
 * root: the cluster's folder belongs to `postgres`, and root must not write there
 * (docs/decisions/postgres-settings-are-roots.md).
 */
export function debianCluster(config: PostgresConfig, facts: HostFacts): NativeProgram {
  const cluster = clusterOf(facts);
  const { words, port, user } = cluster;
  const { postgres, python } = columnOf(facts);
  const random = { kind: "random" as const, bytes: 32 };
  return {
    unit: cluster.unit,
    // The host has chosen a cluster that is ours or that nobody uses yet.
    adopt: true,
    along: [UNIT],
    packages: { [postgres.package]: "any", [python.package]: "any" },
    unitFiles: (at) => ({ [dropInOf(cluster)]: renderDropIn(cluster, at) }),
    secrets: hasPassword(config)
      ? { [PASSWORD]: { file: "password", reader: "host", source: () => random } }
      : {},
    tasks: (at) => ({
      cluster: clusterTask(cluster, at),
      ...databaseTask(at, config, consoleOf(cluster), {
        password: hasPassword(config) ? at.host.secret(PASSWORD) : undefined,
      }),
    }),
    // Postgres itself reads the staged settings, as its own user.
    user,
    checks: {
      "10-settings": {
        argv: (at) => [...program(at, "cluster.py"), "check", ...words, at.host.config()],
        timeoutSeconds: 30,
      },
    },
    answers: () => ({
      kind: "command",
      // As postgres, without a session: a connection as root writes a FATAL into the server's log each time.
      argv: [
        ...["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups", "--"],
        ...[`${cluster.programs}/pg_isready`, `--host=${cluster.socket}`, `--port=${port}`],
      ],
      timeoutSeconds: 60,
    }),
  };
}

function hasPassword(config: PostgresConfig): boolean {
  return databaseAuthentication(config, "native") === "password";
}

/** Why this host's Postgres cannot be used, with the fix; undefined: it can. */
export function clusterFault(facts: HostFacts): string | undefined {
  const { postgres, postgresCluster } = facts;
  if (postgresCluster === undefined) return undefined;
  const { name, socket } = postgresCluster;
  const column = columnOf(facts).postgres;
  const file = `${column.configuration(postgres, name)}/postgresql.conf`;
  const unit = column.unit(postgres, name).replace(/\.service$/, "");
  const fix = `\n  fix: on the host write unix_socket_directories = '/var/run/postgresql' into ${file}, and restart ${unit}`;
  if (socket === "")
    return `the Postgres cluster ${postgres}/${name} has no socket directory, but Synapse connects to its socket${fix}`;
  if (/^\/(var\/)?tmp(\/|$)/.test(socket))
    return `the Postgres cluster ${postgres}/${name} has its socket in ${socket}, but Synapse's unit has its own /tmp${fix}`;
  return undefined;
}

/** A cluster from the distribution's packages, with their paths. */
interface Cluster {
  /** Major version, name. */
  words: [version: string, name: string];
  port: number;
  /** Directory of its socket. */
  socket: string;
  unit: string;
  programs: string;
  /** System user of the server. */
  user: string;
}

const USUAL = { name: "main", port: 5432, socket: "/run/postgresql" };

function clusterOf(facts: HostFacts): Cluster {
  const { postgres: major, postgresCluster = USUAL } = facts;
  const { name, port, socket } = postgresCluster;
  const { postgres } = columnOf(facts);
  return {
    words: [String(major), name],
    port,
    socket,
    unit: postgres.unit(major, name),
    programs: postgres.programs(major),
    user: postgres.user,
  };
}

function dropInOf({ unit }: Cluster): string {
  return `${SYSTEM_PLACES.units}/${unit}.d/50-hearth.conf`;
}

/** Before the server starts: creates the cluster if there is none, and makes it read our settings. */
function renderDropIn({ words, port }: Cluster, at: Layout): string {
  const start = [
    ...program(at, "cluster.py"),
    ...["start", ...words, String(port), at.host.config(), `${at.records}/identity`],
  ];
  return [
    "# Written by Hearth from hearth:postgres; a change here restarts Postgres.",
    "[Unit]",
    "# A cluster that is not there is made first.",
    "AssertPathExists=",
    "",
    "[Service]",
    `ExecStartPre=${start.join(" ")}`,
    "",
  ].join("\n");
}

/** Makes sure that the cluster has the planned port and socket directory, and reads our settings. */
function clusterTask({ words, port, socket }: Cluster, at: Layout): HostTask {
  const question = program(at, "cluster.py");
  const about = [...words, String(port), at.host.config(), socket];
  return {
    observe: [...question, "observe", ...about],
    apply: [...question, "apply", ...about],
    want: `cluster ${words.join("/")} on port ${port} with Hearth's settings`,
  };
}

function consoleOf({ socket, port, words, unit, user }: Cluster): Console {
  return {
    psql: ["runuser", "--user", user, "--", "psql", `--host=${socket}`, `--port=${port}`],
    journal: `journalctl -u ${unit}; its own log is /var/log/postgresql/postgresql-${words.join("-")}.log`,
  };
}

/** How programs on the host reach the database. */
export function clusterAccess(config: PostgresConfig, facts: HostFacts, at: Layout): DatabaseAccess {
  const { database, role, pool } = config;
  const cluster = clusterOf(facts);
  const { socket, port, unit } = cluster;
  const console = consoleOf(cluster).psql;
  const common = { database, role, pool, unit, console, ...(port === USUAL.port ? {} : { port }) };
  if (!hasPassword(config)) return { ...common, host: socket };
  const passfileCommand = [...program(at, "passfile.py"), at.host.secret(PASSWORD)];
  return { ...common, host: "127.0.0.1", passfileCommand };
}
