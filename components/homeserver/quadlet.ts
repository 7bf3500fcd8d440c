import { rangeContains } from "../../config-schemas/addresses";
import {
  type HomeserverConfig,
  homeserverImage,
  homeserverMemoryMiB,
  registrationRequirements,
} from "../../config-schemas/homeserver";
import type { ContainerSecret, HostUnit, Inputs } from "../../provider/sdk";
import { type Container, type Mount, NETWORK } from "../container";
import { publicFile } from "../ownership";
import { owned, type Places } from "../places";
import { type OneOff, quadletCheck, runOnce } from "../podman";
import type { DatabaseAccess } from "../postgres";
import { hostPrograms } from "../programs";
import { renderContainer, renderNetwork } from "../quadlet";
import {
  type ConfigFiles,
  configFiles,
  DATABASE_RESTARTED,
  type HomeserverParts,
  type HomeserverPlan,
  SERVICE,
} from "./parts";
import { CONTAINER_CONFIG, CONTAINER_DATA, CONTAINER_PATHS, CONTAINER_SECRETS } from "./paths";
import { captchaKey, emailSettings, makeSigningKey, RANDOM } from "./secrets";
import { containerValidators } from "./validators";

const NAME = "hearth-synapse";
const UNIT = `${NAME}.service`;
/** Folder of request bodies while they come in: /tmp is the container's memory. */
const SPOOL = "spool";
/** Port inside the container. */
const PORT = 8008;
/** Synapse's user in the official image. */
export const IMAGE_USER = { uid: 991, gid: 991 };
/** Python in the official image. */
export const IMAGE_PYTHON = "/usr/local/bin/python";

/** `name:port` for other containers. */
export const CONTAINER_UPSTREAM = `${NAME}:${PORT}`;

/** Synapse in a container on the private network, published on the machine's loopback. */
export function quadletHomeserver(plan: HomeserverPlan, places: Places): HomeserverParts {
  const layout = layoutOf(places);
  const secrets = secretsOf(plan, places);
  const container = containerOf(plan, layout, Object.keys(secrets));
  const files = filesOf(plan, places, layout, container);
  const check = quadletCheck(SERVICE, places, [layout.containerFile, layout.networkFile]);
  const programs = { source: places.programs(SERVICE), target: "/programs", readOnly: true };
  const inImage = { ...container, mounts: [...container.mounts, programs] };
  return {
    release: {
      ...{ packages: {}, repositories: {}, users: {}, environments: {}, secrets: {} },
      directories: directoriesOf(places, layout),
      files: { ...hostPrograms(SERVICE, places), ...check.files, ...files.restart, ...files.reload },
      images: [container.image],
      containerSecrets: secrets,
      units: unitsOf(container, files),
      validators: {
        ...containerValidators(
          (program) => runOnce(inImage, [IMAGE_PYTHON, ...program]),
          programs.target,
          configPaths(plan.config),
        ),
        ...check.validators,
      },
    },
    dataPath: layout.data,
    mediaPath: layout.media,
    logFile: `${layout.log}/homeserver.log`,
  };
}

/** Where its things are on the host. */
interface Layout {
  config: string;
  data: string;
  media: string;
  log: string;
  spool: string;
  containerFile: string;
  networkFile: string;
}

function layoutOf(places: Places): Layout {
  const data = places.data(SERVICE);
  return {
    config: places.config(SERVICE),
    data,
    media: `${data}/media`,
    log: `${data}/log`,
    spool: `${data}/${SPOOL}`,
    containerFile: `${places.containers}/${NAME}.container`,
    networkFile: `${places.containers}/${NETWORK}.network`,
  };
}

function containerOf(plan: HomeserverPlan, layout: Layout, secrets: readonly string[]): Container {
  const { config, database } = plan;
  return {
    ...imageOf(config),
    name: NAME,
    description: "Synapse, a Matrix homeserver",
    // Not the image's own entry point, which makes configuration and keys of its own.
    entrypoint: IMAGE_PYTHON,
    command: ["-m", "synapse.app.homeserver", ...configPaths(config).map((file) => `--config-path=${file}`)],
    // As the image's entry point does: with it Synapse gives memory back.
    environment: { LD_PRELOAD: "libjemalloc.so.2", TMPDIR: `${CONTAINER_DATA}/${SPOOL}` },
    mounts: mountsOf(layout, database),
    secrets: Object.fromEntries(secrets.map((name) => [name, name])),
    network: NETWORK,
    publish: publishedAddresses(config).map((address) => ({
      address,
      port: config.listener.port,
      containerPort: PORT,
    })),
    tmpfs: [],
    health: {
      command: ["curl", "--fail", "--silent", "--show-error", `http://127.0.0.1:${PORT}/health`],
      intervalSeconds: 60,
      timeoutSeconds: 10,
    },
    memoryMiB: homeserverMemoryMiB(config),
    pids: 512,
    // A new release may have to change the database first.
    startSeconds: 600,
    stopSeconds: 30,
    // Synapse reads its log configuration again.
    reload: ["/bin/sh", "-c", "kill -HUP 1"],
    after: database.container === undefined ? [] : [database.container.unit],
    kind: "service",
  };
}

function imageOf(config: HomeserverConfig): OneOff {
  return { image: homeserverImage(config), ...IMAGE_USER, mounts: [], secrets: {} };
}

function mountsOf(layout: Layout, database: DatabaseAccess): Mount[] {
  return [
    { source: layout.config, target: CONTAINER_CONFIG, readOnly: true },
    { source: layout.data, target: CONTAINER_DATA, readOnly: false },
    ...(database.container === undefined ? [] : [database.container.socket]),
  ];
}

/** The loopback addresses of the machine on which the container is reached: its network knows IPv4 only. */
export function publishedAddresses({ listener }: HomeserverConfig): string[] {
  return listener.bindAddresses.filter((address) => rangeContains("127.0.0.0/8", address));
}

function configPaths({ email }: HomeserverConfig): string[] {
  const withLogin = email?.user !== undefined;
  return [`${CONTAINER_CONFIG}/homeserver.yaml`, ...(withLogin ? [CONTAINER_PATHS.email] : [])];
}

/** Most are made on the host and never leave it. */
function secretsOf(plan: HomeserverPlan, places: Places): Record<string, Inputs<ContainerSecret>> {
  const { config, database, secrets } = plan;
  const restore = `podman secret create --driver file ${CONTAINER_SECRETS.signingKey} FILE`;
  const program = [IMAGE_PYTHON, "-m", "synapse._scripts.generate_signing_key"];
  const generate = makeSigningKey(places, restore, runOnce(imageOf(config), program));
  const command = (argv: string[]) => ({ source: { kind: "command" as const, argv } });
  const captcha = registrationRequirements(config).includes("captcha");
  const email = emailSettings(config, secrets);
  return {
    [CONTAINER_SECRETS.registration]: { source: RANDOM },
    [CONTAINER_SECRETS.macaroon]: { source: RANDOM },
    [CONTAINER_SECRETS.form]: { source: RANDOM },
    // The server's identity: made once, kept for ever.
    [CONTAINER_SECRETS.signingKey]: command(generate),
    ...(database.passfileCommand && { [CONTAINER_SECRETS.passfile]: command(database.passfileCommand) }),
    ...(captcha && {
      [CONTAINER_SECRETS.captchaPrivateKey]: { source: { kind: "given", value: captchaKey(secrets) } },
    }),
    ...(email && { [CONTAINER_SECRETS.email]: { source: { kind: "given", value: email } } }),
  };
}

function directoriesOf(places: Places, layout: Layout) {
  return {
    [places.programs(SERVICE)]: owned(places, "0755"),
    [layout.config]: owned(places, "0755"),
    [layout.data]: owned(places, "0750"),
    [layout.media]: owned(places, "0750"),
    [layout.log]: owned(places, "0750"),
    [layout.spool]: owned(places, "0700"),
  };
}

function filesOf(plan: HomeserverPlan, places: Places, layout: Layout, container: Container): ConfigFiles {
  const place = { paths: CONTAINER_PATHS, listen: { port: PORT, addresses: ["0.0.0.0"] } };
  const files = configFiles(plan, place, places, `${layout.config}/homeserver.yaml`, layout.config);
  return {
    restart: {
      ...files.restart,
      [layout.containerFile]: publicFile(renderContainer(container), places),
      [layout.networkFile]: publicFile(renderNetwork(), places),
    },
    reload: files.reload,
  };
}

function unitsOf(container: Container, files: ConfigFiles): Record<string, HostUnit> {
  return {
    [UNIT]: {
      enabled: true,
      state: "running",
      restartOn: [
        ...Object.keys(files.restart),
        ...Object.values(container.secrets).map((name) => `container-secret:${name}`),
        `image:${container.image}`,
        DATABASE_RESTARTED,
      ],
      reloadOn: Object.keys(files.reload),
    },
  };
}
