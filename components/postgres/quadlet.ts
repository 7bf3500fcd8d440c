import { type PostgresConfig, postgresImage, postgresMemoryMiB } from "../../config-schemas/postgres/schema";
import type { HostUnit, Validator } from "../../provider/sdk";
import type { Container, Mount } from "../../runtimes/container";
import { publicFile } from "../../runtimes/ownership";
import { owned, type Places } from "../../runtimes/places";
import { hostPrograms } from "../../runtimes/programs";
import { type QuadletCheck, quadletCheck, runOnce } from "../../runtimes/quadlet/podman";
import { renderContainer, renderVolume } from "../../runtimes/quadlet/render";
import { CONTAINER_UNIT } from "../homeserver/paths";
import type { DatabaseAccess } from "./access";
import { databaseTask, type PostgresParts, program, SERVICE } from "./parts";
import { MARKER, renderHostAuthentication, renderMain, renderPostgres } from "./render";

const NAME = "hearth-postgres";
const UNIT = `${NAME}.service`;
const VOLUME = "hearth-database-socket";
/** Of the user `postgres` in the official image. */
const USER = { uid: 999, gid: 999 };

const PASSWORD = "hearth-database-password";
const SUPERUSER = "hearth-database-superuser";
const SUPERUSER_PASSFILE = "hearth-database-superuser-passfile";

const SHOW = "podman secret inspect --showsecret --format '{{.SecretData}}'";
const MAKE_PASSFILE = `password=$(${SHOW} ${SUPERUSER}) && printf '*:*:*:postgres:%s\\n' "$password"`;

/** Paths inside the container. */
const CONFIG = "/etc/hearth/postgres";
const CONFIG_FILE = `${CONFIG}/postgresql.conf`;
const DATA = "/var/lib/postgresql/data";
const SOCKET_FOLDER = "/var/run/postgresql";

/** Of the first start only. Checksums tell when a disk has damaged the data. */
const INITDB = [
  ...["--encoding=UTF8", "--locale-provider=libc", "--lc-collate=C", "--lc-ctype=C", "--data-checksums"],
  ...["--auth=scram-sha-256", `--pwfile=/run/secrets/${SUPERUSER}`],
];

const PSQL = ["psql", "--username=postgres", "--no-password"];
const CONSOLE = {
  psql: ["/usr/bin/podman", "exec", "--interactive", NAME, ...PSQL],
  journal: `journalctl --user -u ${NAME}`,
};

/** Postgres in a container without network: reachable over its socket only, by containers that mount its volume. */
export function quadletPostgres(config: PostgresConfig, places: Places): PostgresParts {
  const layout = layoutOf(places);
  const container = containerOf(config, layout);
  const { restart, ...files } = filesOf(config, places, layout, container);
  const check = quadletCheck(SERVICE, places, [layout.containerFile, layout.volumeFile]);
  return {
    release: {
      packages: {},
      directories: directoriesOf(places, layout),
      files: { ...hostPrograms(SERVICE, places), ...check.files, ...files.reload, ...restart },
      secrets: {},
      images: [container.image],
      containerSecrets: secretsOf(),
      tasks: {
        [`database-${config.database}`]: databaseTask(places, config, CONSOLE, {
          data: layout.data,
          password: `podman:${PASSWORD}`,
        }),
      },
      units: unitsOf(container, Object.keys(restart), Object.keys(files.reload)),
      validators: validatorsOf(container, layout, places, check),
      health: {
        // The first start makes the cluster.
        answers: {
          kind: "command",
          argv: ["/usr/bin/podman", "exec", NAME, ...READY],
          timeoutSeconds: 120,
        },
      },
    },
    access: accessOf(config, places),
  };
}

/** Where its things are on the host. */
interface Layout {
  config: string;
  data: string;
  containerFile: string;
  volumeFile: string;
}

function layoutOf(places: Places): Layout {
  return {
    config: places.config(SERVICE),
    data: `${places.data(SERVICE)}/data`,
    containerFile: `${places.containers}/${NAME}.container`,
    volumeFile: `${places.containers}/${VOLUME}.volume`,
  };
}

/** During the first start a server for setting up answers on the same socket; the real one is the first process. */
const READY = [
  "/bin/sh",
  "-c",
  '[ "$(cat /proc/1/comm)" = postgres ] && exec pg_isready --quiet --username=postgres',
];

function containerOf(config: PostgresConfig, layout: Layout): Container {
  return {
    name: NAME,
    description: "Postgres, the database of the Matrix homeserver",
    image: postgresImage(config),
    ...USER,
    command: ["postgres", "-c", `config_file=${CONFIG_FILE}`],
    environment: {
      // From 18 on the image would keep its data elsewhere: in a volume without a name, which ends with the container.
      PGDATA: DATA,
      POSTGRES_INITDB_ARGS: INITDB.join(" "),
      // The image would keep a password that it is given in the server's environment; initdb reads the file itself. That
      // it asks for no other is all that this does: who may log in is said in our pg_hba.conf.
      POSTGRES_HOST_AUTH_METHOD: "trust",
      PGPASSFILE: `/run/secrets/${SUPERUSER_PASSFILE}`,
    },
    mounts: [
      { source: layout.config, target: CONFIG, readOnly: true },
      { source: layout.data, target: DATA, readOnly: false },
      socket(false),
    ],
    secrets: { [SUPERUSER]: SUPERUSER, [SUPERUSER_PASSFILE]: SUPERUSER_PASSFILE },
    network: "none",
    publish: [],
    tmpfs: [],
    health: { command: READY, intervalSeconds: 60, timeoutSeconds: 10 },
    memoryMiB: postgresMemoryMiB(config),
    pids: 256,
    // Long enough to recover a large database after a power cut.
    startSeconds: 900,
    stopSeconds: 60,
    reload: ["/bin/sh", "-c", "kill -HUP 1"],
    after: [],
    kind: "service",
  };
}

function socket(readOnly: boolean): Mount {
  return { source: `${VOLUME}.volume`, target: SOCKET_FOLDER, readOnly };
}

function directoriesOf(places: Places, layout: Layout) {
  return {
    [places.programs(SERVICE)]: owned(places, "0755"),
    [layout.config]: owned(places, "0755"),
    [places.data(SERVICE)]: owned(places, "0700"),
    [layout.data]: owned(places, "0700"),
  };
}

function filesOf(config: PostgresConfig, places: Places, layout: Layout, container: Container) {
  const settings = renderPostgres(config, container.memoryMiB, { listen_addresses: "" });
  const file = (text: string) => publicFile(text, places);
  return {
    restart: {
      [`${layout.config}/postgresql.conf`]: file(renderMain(CONFIG, DATA)),
      [`${layout.config}/restart.conf`]: file(settings.restart),
      [layout.containerFile]: file(renderContainer(container)),
      [layout.volumeFile]: file(renderVolume(VOLUME)),
    },
    reload: {
      [`${layout.config}/reload.conf`]: file(settings.reload),
      [`${layout.config}/pg_hba.conf`]: file(renderHostAuthentication()),
    },
  };
}

function secretsOf() {
  const random = { kind: "random" as const, bytes: 32 };
  return {
    [PASSWORD]: { source: random },
    [SUPERUSER]: { source: random },
    // Made before the release's own programs are there, and after the password: in the order of their names.
    [SUPERUSER_PASSFILE]: { source: { kind: "command" as const, argv: ["/bin/sh", "-c", MAKE_PASSFILE] } },
  };
}

function unitsOf(
  container: Container,
  restart: readonly string[],
  reload: readonly string[],
): Record<string, HostUnit> {
  const secrets = Object.values(container.secrets).map((name) => `container-secret:${name}`);
  return {
    [UNIT]: {
      enabled: true,
      state: "running",
      restartOn: [...restart, ...secrets, `image:${container.image}`],
      reloadOn: [...reload],
      along: [CONTAINER_UNIT],
    },
  };
}

/** The image's own Postgres reads the staged settings; what it cannot read on the disk is found before it is started. */
function validatorsOf(
  container: Container,
  layout: Layout,
  places: Places,
  check: QuadletCheck,
): Record<string, Validator> {
  const settings = { source: layout.config, target: CONFIG, readOnly: true };
  const postgres = (mounts: Mount[], ...argv: string[]) =>
    runOnce({ ...container, mounts, secrets: {} }, ["postgres", ...argv]);
  return {
    "10-settings": {
      argv: postgres([settings], "-C", MARKER, "-c", `config_file=${CONFIG_FILE}`),
      timeoutSeconds: 60,
    },
    "20-data": {
      argv: [...program(places, "check_data.py"), layout.data, ...postgres([], "--version")],
      timeoutSeconds: 60,
    },
    ...check.validators,
  };
}

function accessOf({ database, role, pool }: PostgresConfig, places: Places): DatabaseAccess {
  const passfileCommand = [...program(places, "passfile.py"), `podman:${PASSWORD}`];
  return {
    ...{ database, role, pool, host: SOCKET_FOLDER, passfileCommand },
    // Who connects to a socket need not be able to replace it.
    socket: socket(true),
    unit: UNIT,
    console: CONSOLE.psql,
  };
}
