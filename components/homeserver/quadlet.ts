import {
  type HomeserverConfig,
  homeserverImage,
  homeserverMemoryMiB,
  registrationRequirements,
} from "../../config-schemas/homeserver/schema";
import { rangeContains } from "../../config-schemas/language/addresses";
import type { ContainerSecret, HostUnit, Inputs } from "../../provider/sdk";
import { type Container, type Mount, NETWORK, type PublishedPort } from "../../runtimes/container";
import type { Site } from "../../runtimes/job";
import { portsOf } from "../../runtimes/listener";
import { publicFile } from "../../runtimes/ownership";
import { owned, type Places } from "../../runtimes/places";
import { hostPrograms } from "../../runtimes/programs";
import { type OneOff, quadletCheck, runOnce } from "../../runtimes/quadlet/podman";
import { renderContainer, renderNetwork } from "../../runtimes/quadlet/render";
import type { DatabaseAccess } from "../postgres";
import {
  answersProbe,
  type ConfigFiles,
  configFiles,
  type HomeserverParts,
  type HomeserverPlan,
  SERVICE,
} from "./parts";
import {
  CONTAINER,
  CONTAINER_CONFIG,
  CONTAINER_DATA,
  CONTAINER_PATHS,
  CONTAINER_SECRETS,
  CONTAINER_UNIT,
  SOCKET_FOLDER,
  SOCKET_NAME,
} from "./paths";
import { captchaKey, emailSettings, makeSigningKey, RANDOM } from "./secrets";
import { containerValidators } from "./validators";

/** Folder of request bodies while they come in: /tmp is the container's memory. */
const SPOOL = "spool";
/** Port inside the container, where one is published. */
const PORT = 8008;
/** Our programs inside the container. */
const PROGRAMS = "/programs";
/** Synapse's user in the official image. */
const IMAGE_USER = { uid: 991, gid: 991 };
/** Python in the official image. */
const IMAGE_PYTHON = "/usr/local/bin/python";

/** Synapse's socket inside its container and those that mount its folder. */
export const CONTAINER_SOCKET = `${SOCKET_FOLDER}/${SOCKET_NAME}`;

/** Folder of the socket on the host: the login user's alone. */
function socketFolder(places: Places): string {
  return `${places.data(SERVICE)}/socket`;
}

/** The same socket as the host's own programs see it. */
export function hostSocket(places: Places): string {
  return `${socketFolder(places)}/${SOCKET_NAME}`;
}

/** What another container needs to reach Synapse: who connects to a socket need not be able to replace it. */
export function socketMount(places: Places): Mount {
  return { source: socketFolder(places), target: SOCKET_FOLDER, readOnly: true };
}

/** What small programs of ours find next to Synapse: its image has Python. */
export function jobSite(config: HomeserverConfig, places: Places): Site {
  return {
    ...{ places, image: homeserverImage(config), python: IMAGE_PYTHON, ...IMAGE_USER },
    ...{ socket: CONTAINER_SOCKET, socketMount: socketMount(places) },
  };
}

/** Synapse in a container, reached over its socket; published on the machine's loopback where the stack says so. */
export function quadletHomeserver(plan: HomeserverPlan, places: Places): HomeserverParts {
  const layout = layoutOf(places);
  const secrets = secretsOf(plan, places);
  const container = containerOf(plan, places, layout, Object.keys(secrets));
  const files = filesOf(plan, places, layout, container);
  const check = quadletCheck(SERVICE, places, [layout.containerFile, layout.networkFile]);
  return {
    release: {
      ...{ packages: {}, repositories: {}, users: {}, environments: {}, secrets: {} },
      directories: directoriesOf(places, layout),
      files: { ...hostPrograms(SERVICE, places), ...check.files, ...files.restart, ...files.reload },
      images: [container.image],
      containerSecrets: secrets,
      units: unitsOf(container, files, places),
      ports: portsOf(container.publish, CONTAINER_UNIT),
      preflights: {},
      validators: {
        ...containerValidators(
          (program) => runOnce(container, [IMAGE_PYTHON, ...program]),
          PROGRAMS,
          configPaths(plan.config),
        ),
        ...check.validators,
      },
      health: { answers: answersProbe(plan.config, places, hostSocket(places)) },
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
    containerFile: `${places.containers}/${CONTAINER}.container`,
    networkFile: `${places.containers}/${NETWORK}.network`,
  };
}

function containerOf(
  plan: HomeserverPlan,
  places: Places,
  layout: Layout,
  secrets: readonly string[],
): Container {
  const { config, database } = plan;
  return {
    ...imageOf(config),
    name: CONTAINER,
    description: "Synapse, a Matrix homeserver",
    // Not the image's own entry point, which makes configuration and keys of its own.
    entrypoint: IMAGE_PYTHON,
    command: [
      ...["-B", `${PROGRAMS}/listen.py`, CONTAINER_SOCKET, "synapse.app.homeserver"],
      ...configPaths(config).map((file) => `--config-path=${file}`),
    ],
    // As the image's entry point does: with it Synapse gives memory back.
    environment: { LD_PRELOAD: "libjemalloc.so.2", TMPDIR: `${CONTAINER_DATA}/${SPOOL}` },
    mounts: mountsOf(places, layout, database),
    secrets: Object.fromEntries(secrets.map((name) => [name, name])),
    network: NETWORK,
    publish: publishedPorts(config),
    tmpfs: [],
    health: {
      command: [
        ...["curl", "--fail", "--silent", "--show-error", "--unix-socket", CONTAINER_SOCKET],
        "http://localhost/health",
      ],
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
    after: [database.unit],
    kind: "service",
  };
}

function imageOf(config: HomeserverConfig): OneOff {
  return { image: homeserverImage(config), ...IMAGE_USER, mounts: [], secrets: {} };
}

function mountsOf(places: Places, layout: Layout, database: DatabaseAccess): Mount[] {
  return [
    { source: places.programs(SERVICE), target: PROGRAMS, readOnly: true },
    { ...socketMount(places), readOnly: false },
    { source: layout.config, target: CONTAINER_CONFIG, readOnly: true },
    { source: layout.data, target: CONTAINER_DATA, readOnly: false },
    ...(database.socket === undefined ? [] : [database.socket]),
  ];
}

/** On loopback of the machine: the container's network knows IPv4 only. */
function publishedPorts({ listener }: HomeserverConfig): PublishedPort[] {
  if (listener === undefined) return [];
  const { port, bindAddresses } = listener;
  const addresses = bindAddresses.filter((address) => rangeContains("127.0.0.0/8", address));
  return addresses.map((address) => ({ address, port, containerPort: PORT }));
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
    [socketFolder(places)]: owned(places, "0700"),
  };
}

function filesOf(plan: HomeserverPlan, places: Places, layout: Layout, container: Container): ConfigFiles {
  const published = plan.config.listener && { port: PORT, addresses: ["0.0.0.0"] };
  const place = { paths: CONTAINER_PATHS, socket: CONTAINER_SOCKET, listen: published };
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

function unitsOf(container: Container, files: ConfigFiles, places: Places): Record<string, HostUnit> {
  return {
    [CONTAINER_UNIT]: {
      enabled: true,
      state: "running",
      restartOn: [
        ...Object.keys(files.restart),
        ...Object.values(container.secrets).map((name) => `container-secret:${name}`),
        `image:${container.image}`,
        `${places.programs(SERVICE)}/listen.py`,
      ],
      reloadOn: Object.keys(files.reload),
    },
  };
}
