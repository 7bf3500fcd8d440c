import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { PostgresConfig } from "../../config-schemas/postgres";
import { type HostTask, type HostUnit, Release } from "../../provider/sdk";
import type { Machine } from "../hosts";
import { PUBLIC_DIRECTORY, publicFile } from "../ownership";
import { hostPrograms, programFolder } from "../programs";
import { MARKER, renderPostgres } from "./render";

const SERVICE = "postgres";
const FOLDER = "/etc/hearth/postgres";
const PASSWORD_FILE = `${FOLDER}/password`;
const SOCKET_FOLDER = "/run/postgresql";

/** How a local program reaches the database, without any secret. */
export interface DatabaseAccess {
  database: string;
  role: string;
  /** A directory with the server's socket, or an address. */
  host: string;
  pool: { min: number; max: number };
  /** Present when the role has a password: a program that prints a libpq password file, to be made by who needs it. */
  passfileCommand?: string[];
}

export interface PostgresArgs {
  config: PostgresConfig;
  machine: Machine;
}

/** The database server and Synapse's database in it. Stateful: nothing here ever drops or recreates a database. */
export class Postgres extends pulumi.ComponentResource {
  readonly release: Release;
  readonly access: DatabaseAccess;
  /** Digest of the settings that restart the server: whoever keeps connections to it has to restart with it. */
  readonly restartDigest: pulumi.Output<string>;

  constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:postgres:Postgres", name, {}, opts);
    const { config, machine } = args;
    this.access = accessOf(config);
    const cluster = machine.facts.apply((facts) => clusterOf(facts.postgres));
    this.restartDigest = machine.facts.apply(({ memoryMiB }) =>
      digestOf(renderPostgres(config, memoryMiB).restart),
    );
    this.release = new Release(
      name,
      {
        connection: machine.connection,
        scope: "system",
        release: SERVICE,
        packages: { postgresql: "any", python3: "any" },
        directories: { [FOLDER]: PUBLIC_DIRECTORY, [programFolder(SERVICE)]: PUBLIC_DIRECTORY },
        files: pulumi
          .all([cluster, machine.facts])
          .apply(([paths, facts]) => filesOf(config, facts.memoryMiB, paths)),
        secrets: config.authentication === "password" ? passwordSecret() : {},
        tasks: { [`database-${config.database}`]: databaseTask(config) },
        units: cluster.apply(unitsOf),
        validators: cluster.apply(validatorsOf),
        health: cluster.apply((paths) => ({
          answers: {
            kind: "command" as const,
            argv: [`${paths.programs}/pg_isready`, "--quiet", `--host=${SOCKET_FOLDER}`],
            timeoutSeconds: 60,
          },
        })),
      },
      { parent: this, dependsOn: machine.host },
    );
    this.registerOutputs({ digest: this.release.digest });
  }
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

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function filesOf(config: PostgresConfig, memoryMiB: number, cluster: Cluster) {
  const rendered = renderPostgres(config, memoryMiB);
  return {
    ...hostPrograms(SERVICE),
    [cluster.restartFile]: publicFile(rendered.restart),
    [cluster.reloadFile]: publicFile(rendered.reload),
  };
}

function unitsOf(cluster: Cluster): Record<string, HostUnit> {
  return {
    [cluster.unit]: {
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

function databaseTask(config: PostgresConfig): HostTask {
  const program = ["/usr/bin/python3", `${programFolder(SERVICE)}/database.py`];
  const password = config.authentication === "password";
  const options = [
    `--database=${config.database}`,
    `--role=${config.role}`,
    ...(password ? [`--password-file=${PASSWORD_FILE}`] : []),
  ];
  const role = `role ${config.role}${password ? " with the password" : ""}`;
  const facts = `owner ${config.role}, encoding UTF8, collation C, ctype C, provider libc`;
  return {
    observe: [...program, "observe", ...options],
    apply: [...program, "apply", ...options],
    want: `${role}; database ${config.database}: ${facts}`,
  };
}

function passwordSecret() {
  const source = { kind: "random" as const, bytes: 32 };
  return { [PASSWORD_FILE]: { source, mode: "0600", owner: "root", group: "root" } };
}

function accessOf(config: PostgresConfig): DatabaseAccess {
  const { database, role, pool } = config;
  if (config.authentication === "peer") return { database, role, pool, host: SOCKET_FOLDER };
  const passfile = `${programFolder(SERVICE)}/passfile.py`;
  const passfileCommand = ["/usr/bin/python3", passfile, database, role, PASSWORD_FILE];
  return { database, role, pool, host: "127.0.0.1", passfileCommand };
}
