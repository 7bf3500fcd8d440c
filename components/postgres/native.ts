import { databaseAuthentication, type PostgresConfig } from "../../config-schemas/postgres";
import type { HostFacts, HostUnit } from "../../provider/sdk";
import { PUBLIC_DIRECTORY, publicFile } from "../ownership";
import { SYSTEM_PLACES } from "../places";
import { hostPrograms } from "../programs";
import type { DatabaseAccess } from "./access";
import { databaseTask, digestOf, type PostgresParts, program, SERVICE } from "./parts";
import { MARKER, type PostgresFiles, renderPostgres } from "./render";

const FOLDER = SYSTEM_PLACES.config(SERVICE);
const PASSWORD_FILE = `${FOLDER}/password`;
const SOCKET_FOLDER = "/run/postgresql";
const CONSOLE = {
  psql: ["runuser", "--user", "postgres", "--", "psql"],
  journal: "journalctl -u 'postgresql@*'",
};

/** Postgres of the distribution, with our settings beside its own. */
export function nativePostgres(config: PostgresConfig, facts: HostFacts): PostgresParts {
  const cluster = clusterOf(facts.postgres);
  const rendered = renderNative(config, facts.memoryMiB);
  const password = hasPassword(config) ? PASSWORD_FILE : undefined;
  return {
    release: {
      packages: { postgresql: "any", python3: "any" },
      directories: { [FOLDER]: PUBLIC_DIRECTORY, [SYSTEM_PLACES.programs(SERVICE)]: PUBLIC_DIRECTORY },
      files: {
        ...hostPrograms(SERVICE),
        [cluster.restartFile]: publicFile(rendered.restart),
        [cluster.reloadFile]: publicFile(rendered.reload),
      },
      secrets: password === undefined ? {} : passwordSecret(),
      images: [],
      containerSecrets: {},
      tasks: { [`database-${config.database}`]: databaseTask(SYSTEM_PLACES, config, CONSOLE, password) },
      units: unitsOf(cluster),
      validators: validatorsOf(cluster),
      health: {
        answers: {
          kind: "command",
          argv: [`${cluster.programs}/pg_isready`, "--quiet", `--host=${SOCKET_FOLDER}`],
          timeoutSeconds: 60,
        },
      },
    },
    access: accessOf(config),
    restartDigest: digestOf(rendered.restart),
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

/** Where Debian's packages put the cluster `main` of one major version. */
interface Cluster {
  unit: string;
  configuration: string;
  restartFile: string;
  reloadFile: string;
  programs: string;
}

function clusterOf(major: number): Cluster {
  const configuration = `/etc/postgresql/${major}/main`;
  return {
    unit: `postgresql@${major}-main.service`,
    configuration,
    restartFile: `${configuration}/conf.d/50-hearth-restart.conf`,
    reloadFile: `${configuration}/conf.d/51-hearth-reload.conf`,
    programs: `/usr/lib/postgresql/${major}/bin`,
  };
}

function unitsOf(cluster: Cluster): Record<string, HostUnit> {
  return {
    [cluster.unit]: {
      // A cluster that is there already is used as it is; its other databases stay.
      adopt: true,
      enabled: true,
      state: "running",
      restartOn: [cluster.restartFile],
      reloadOn: [cluster.reloadFile],
    },
  };
}

/** Postgres itself reads the staged settings; that it knows our marker proves that it reads our files at all. */
function validatorsOf(cluster: Cluster) {
  const configuration = `config_file=${cluster.configuration}/postgresql.conf`;
  return {
    "10-settings": {
      argv: [`${cluster.programs}/postgres`, "-C", MARKER, "-c", configuration],
      user: "postgres",
      timeoutSeconds: 30,
    },
  };
}

function passwordSecret() {
  const source = { kind: "random" as const, bytes: 32 };
  return { [PASSWORD_FILE]: { source, mode: "0600", owner: "root", group: "root" } };
}

function accessOf(config: PostgresConfig): DatabaseAccess {
  const { database, role, pool } = config;
  if (!hasPassword(config)) return { database, role, pool, host: SOCKET_FOLDER };
  const passfileCommand = [...program(SYSTEM_PLACES, "passfile.py"), PASSWORD_FILE];
  return { database, role, pool, host: "127.0.0.1", passfileCommand };
}
