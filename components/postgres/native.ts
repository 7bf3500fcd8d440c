import { databaseAuthentication, type PostgresConfig } from "../../config-schemas/postgres/schema";
import type { HostFacts, HostTask, HostUnit } from "../../provider/sdk";
import { PUBLIC_DIRECTORY, publicFile } from "../../runtimes/ownership";
import { SYSTEM_PLACES } from "../../runtimes/places";
import { hostPrograms } from "../../runtimes/programs";
import { UNIT as SYNAPSE } from "../homeserver/paths";
import type { DatabaseAccess } from "./access";
import { type Console, databaseTask, type PostgresParts, program, SERVICE } from "./parts";
import { type PostgresFiles, renderPostgres } from "./render";

const FOLDER = SYSTEM_PLACES.config(SERVICE);
const PASSWORD_FILE = `${FOLDER}/password`;
const RESTART_FILE = `${FOLDER}/restart.conf`;
const RELOAD_FILE = `${FOLDER}/reload.conf`;

/**
 * Postgres of the distribution, with our settings next to its own. They are root's, in a folder of root's: the cluster's own
 * folder belongs to `postgres`, and root writes nothing there (docs/decisions/postgres-settings-are-roots.md).
 */
export function nativePostgres(config: PostgresConfig, facts: HostFacts): PostgresParts {
  const cluster = clusterOf(facts);
  const rendered = renderNative(config, facts.memoryMiB);
  const password = hasPassword(config) ? PASSWORD_FILE : undefined;
  return {
    release: {
      packages: { postgresql: "any", python3: "any" },
      directories: { [FOLDER]: PUBLIC_DIRECTORY, [SYSTEM_PLACES.programs(SERVICE)]: PUBLIC_DIRECTORY },
      files: {
        ...hostPrograms(SERVICE),
        [RESTART_FILE]: publicFile(rendered.restart),
        [RELOAD_FILE]: publicFile(rendered.reload),
        [cluster.dropIn]: publicFile(renderDropIn(cluster)),
      },
      secrets: password === undefined ? {} : passwordSecret(),
      images: [],
      containerSecrets: {},
      tasks: {
        cluster: clusterTask(cluster),
        [`database-${config.database}`]: databaseTask(SYSTEM_PLACES, config, consoleOf(cluster), {
          password,
        }),
      },
      units: unitsOf(cluster),
      validators: validatorsOf(cluster),
      health: {
        answers: {
          kind: "command",
          // As postgres, without a session: what knocks as root leaves a FATAL in the server's log each time.
          argv: [
            ...["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"],
            ...[`${cluster.programs}/pg_isready`, `--host=${cluster.socket}`, `--port=${cluster.port}`],
          ],
          timeoutSeconds: 60,
        },
      },
    },
    access: accessOf(config, cluster),
  };
}

/** The settings of the two files, in a server for the whole machine. */
export function renderNative(config: PostgresConfig, memoryMiB: number): PostgresFiles {
  // With peer authentication nobody needs TCP.
  return renderPostgres(config, memoryMiB, { listen_addresses: hasPassword(config) ? "localhost" : "" });
}

function hasPassword(config: PostgresConfig): boolean {
  return databaseAuthentication(config, "native") === "password";
}

/** Why this host's Postgres cannot be used, with the fix; none: it can. */
export function clusterFault({ postgres, postgresCluster }: HostFacts): string | undefined {
  if (postgresCluster === undefined) return undefined;
  const { name, socket } = postgresCluster;
  const file = `/etc/postgresql/${postgres}/${name}/postgresql.conf`;
  const fix = `fix: on the host write unix_socket_directories = '/var/run/postgresql' into ${file}, and restart postgresql@${postgres}-${name}`;
  if (socket === "")
    return `the Postgres cluster ${postgres}/${name} has no socket directory, and Synapse logs in over its socket. ${fix}`;
  if (/^\/(var\/)?tmp(\/|$)/.test(socket))
    return `the Postgres cluster ${postgres}/${name} has its socket in ${socket}, and Synapse's unit sees a /tmp of its own. ${fix}`;
  return undefined;
}

/** A cluster of Debian's packages, and where they put what belongs to it. */
interface Cluster {
  /** Major version, name. */
  words: [version: string, name: string];
  port: number;
  /** Directory of its socket. */
  socket: string;
  unit: string;
  dropIn: string;
  programs: string;
}

const USUAL = { name: "main", port: 5432, socket: "/run/postgresql" };

function clusterOf({ postgres: major, postgresCluster = USUAL }: HostFacts): Cluster {
  const { name, port, socket } = postgresCluster;
  const unit = `postgresql@${major}-${name}.service`;
  return {
    words: [String(major), name],
    port,
    socket,
    unit,
    dropIn: `${SYSTEM_PLACES.units}/${unit}.d/50-hearth.conf`,
    programs: `/usr/lib/postgresql/${major}/bin`,
  };
}

/** Before the server starts: the cluster is made where there is none, and reads our settings. */
function renderDropIn({ words, port }: Cluster): string {
  const start = [
    ...program(SYSTEM_PLACES, "cluster.py"),
    ...["start", ...words, String(port), FOLDER, `${SYSTEM_PLACES.state}/identity`],
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

/** That the cluster is where the plan expects it and reads our settings. */
function clusterTask({ words, port, socket }: Cluster): HostTask {
  const question = program(SYSTEM_PLACES, "cluster.py");
  const about = [...words, String(port), FOLDER, socket];
  return {
    observe: [...question, "observe", ...about],
    apply: [...question, "apply", ...about],
    want: `cluster ${words.join("/")} on port ${port} with Hearth's settings`,
  };
}

function consoleOf({ socket, port, words, unit }: Cluster): Console {
  return {
    psql: ["runuser", "--user", "postgres", "--", "psql", `--host=${socket}`, `--port=${port}`],
    journal: `journalctl -u ${unit}; its own log is /var/log/postgresql/postgresql-${words.join("-")}.log`,
  };
}

function unitsOf(cluster: Cluster): Record<string, HostUnit> {
  return {
    [cluster.unit]: {
      // The host chose a cluster that is ours or that nobody uses yet.
      adopt: true,
      enabled: true,
      state: "running",
      restartOn: [RESTART_FILE],
      reloadOn: [RELOAD_FILE],
      along: [SYNAPSE],
    },
  };
}

/** Postgres itself reads the staged settings, as the user that it runs as. */
function validatorsOf({ words }: Cluster) {
  return {
    "10-settings": {
      argv: [...program(SYSTEM_PLACES, "cluster.py"), "check", ...words, FOLDER],
      user: "postgres",
      timeoutSeconds: 30,
    },
  };
}

function passwordSecret() {
  const source = { kind: "random" as const, bytes: 32 };
  return { [PASSWORD_FILE]: { source, mode: "0600", owner: "root", group: "root" } };
}

function accessOf(config: PostgresConfig, cluster: Cluster): DatabaseAccess {
  const { database, role, pool } = config;
  const { socket, port, unit } = cluster;
  const console = consoleOf(cluster).psql;
  const common = { database, role, pool, unit, console, ...(port === USUAL.port ? {} : { port }) };
  if (!hasPassword(config)) return { ...common, host: socket };
  const passfileCommand = [...program(SYSTEM_PLACES, "passfile.py"), PASSWORD_FILE];
  return { ...common, host: "127.0.0.1", passfileCommand };
}
