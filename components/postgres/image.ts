import { type PostgresConfig, postgresImage, postgresMemoryMiB } from "../../config-schemas/postgres/schema";
import type { Mount } from "../../runtimes/container";
import type { Layout } from "../../runtimes/layout";
import type { ContainerProgram, ServiceSecret } from "../../runtimes/service";
import { CONTAINER } from "../homeserver/names";
import type { DatabaseAccess } from "./access";
import { databaseTask, program } from "./database";
import { MARKER, renderHostAuthentication, renderMain } from "./render";

const NAME = "hearth-postgres";
const VOLUME = "hearth-database-socket";

/** Roles of its secrets. */
const PASSWORD = "database-password";
const SUPERUSER = "database-superuser";
const SUPERUSER_PASSFILE = "database-superuser-passfile";

/** Paths inside the container. */
const CONFIG = "/etc/hearth/postgres";
const CONFIG_FILE = `${CONFIG}/postgresql.conf`;
const DATA = "/var/lib/postgresql/data";
const SOCKET_FOLDER = "/var/run/postgresql";

/** For the first start only. Checksums show when a disk has damaged the data. */
const INITDB = [
  ...["--encoding=UTF8", "--locale-provider=libc", "--lc-collate=C", "--lc-ctype=C", "--data-checksums"],
  ...["--auth=scram-sha-256", `--pwfile=/run/secrets/hearth-${SUPERUSER}`],
];

const CONSOLE = {
  psql: ["/usr/bin/podman", "exec", "--interactive", NAME, "psql", "--username=postgres", "--no-password"],
  journal: `journalctl --user -u ${NAME}`,
};

/** During the first start, a temporary server answers on the same socket; only the real server is process 1. */
const READY = [
  "/bin/sh",
  "-c",
  '[ "$(cat /proc/1/comm)" = postgres ] && exec pg_isready --quiet --username=postgres',
];

/** Postgres in a container without network: containers reach it over its socket only, by mounting its volume. */
export function officialImage(config: PostgresConfig): ContainerProgram {
  return {
    container: NAME,
    along: [`${CONTAINER}.service`],
    image: postgresImage(config),
    // The user `postgres` in the image.
    ...{ uid: 999, gid: 999 },
    command: () => ["postgres", "-c", `config_file=${CONFIG_FILE}`],
    environment: {
      // From 18 on, the image keeps its data elsewhere by default: in an unnamed volume, which is deleted with the container.
      PGDATA: DATA,
      POSTGRES_INITDB_ARGS: INITDB.join(" "),
      // initdb reads the password file itself, because the image would put a password into the server's environment. This
      // setting only lets the image start without a password; our pg_hba.conf decides who may log in.
      POSTGRES_HOST_AUTH_METHOD: "trust",
      PGPASSFILE: `/run/secrets/hearth-${SUPERUSER_PASSFILE}`,
    },
    inside: { config: CONFIG, data: DATA },
    data: { "": "0700", data: "0700" },
    volumes: [VOLUME],
    mounts: (at) => [
      { source: at.host.config(), target: CONFIG, readOnly: true },
      { source: at.host.data("data"), target: DATA, readOnly: false },
      socket(false),
    ],
    files: [
      { name: "postgresql.conf", change: "restart", text: () => renderMain(CONFIG, DATA) },
      { name: "pg_hba.conf", change: "reload", text: renderHostAuthentication },
    ],
    secrets: secretsOf(),
    network: "none",
    health: { command: READY, intervalSeconds: 60, timeoutSeconds: 10 },
    memoryMiB: postgresMemoryMiB(config),
    pids: 256,
    // Enough time to recover a large database after a power cut.
    startSeconds: 900,
    stopSeconds: 60,
    reload: ["/bin/sh", "-c", "kill -HUP 1"],
    tasks: (at) =>
      databaseTask(at, config, CONSOLE, { data: at.host.data("data"), password: at.host.secret(PASSWORD) }),
    checks: {
      "10-settings": {
        argv: () => ["postgres", "-C", MARKER, "-c", `config_file=${CONFIG_FILE}`],
        timeoutSeconds: 30,
        sees: "config",
      },
    },
    // Finds data that the image's Postgres cannot read, before it starts.
    validators: (at) => ({
      "20-data": {
        argv: [...program(at, "check_data.py"), at.host.data("data"), ...at.once(["postgres", "--version"])],
        timeoutSeconds: 60,
      },
    }),
    // The first start creates the cluster.
    answers: () => ({
      kind: "command",
      argv: ["/usr/bin/podman", "exec", NAME, ...READY],
      timeoutSeconds: 120,
    }),
  };
}

function socket(readOnly: boolean): Mount {
  return { source: `${VOLUME}.volume`, target: SOCKET_FOLDER, readOnly };
}

function secretsOf(): Record<string, ServiceSecret> {
  const random = { kind: "random" as const, bytes: 32 };
  return {
    [PASSWORD]: { file: "password", reader: "host", source: () => random },
    [SUPERUSER]: { file: "superuser", reader: "service", source: () => random },
    // Created after the password: secrets are created in the order of their names.
    [SUPERUSER_PASSFILE]: {
      file: "superuser.pgpass",
      reader: "service",
      source: ({ host }) => ({
        kind: "command",
        argv: ["/bin/sh", host.program("superuser_passfile.sh"), `hearth-${SUPERUSER}`],
      }),
    },
  };
}

/** How other containers reach the database. */
export function imageAccess({ database, role, pool }: PostgresConfig, at: Layout): DatabaseAccess {
  const passfileCommand = [...program(at, "passfile.py"), at.host.secret(PASSWORD)];
  return {
    ...{ database, role, pool, host: SOCKET_FOLDER, passfileCommand },
    // Read-only: a client must not be able to replace the socket.
    socket: socket(true),
    unit: `${NAME}.service`,
    console: CONSOLE.psql,
  };
}
