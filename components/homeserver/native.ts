import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { type Listener, portsOf } from "../../runtimes/listener";
import { PUBLIC_DIRECTORY } from "../../runtimes/ownership";
import { SYSTEM_PLACES } from "../../runtimes/places";
import { hostPrograms, programFolder } from "../../runtimes/programs";
import type { Installation } from "./installation";
import { answersProbe, configFiles, type HomeserverParts, type HomeserverPlan, SERVICE } from "./parts";
import * as paths from "./paths";
import { secretFiles } from "./secrets";
import { nativeValidators } from "./validators";

/** The socket of a native Synapse. */
export const NATIVE_SOCKET = `${paths.SOCKET_FOLDER}/${paths.SOCKET_NAME}`;

/** Synapse from packages, under systemd as a system user of its own. */
export function nativeHomeserver(plan: HomeserverPlan, installation: Installation): HomeserverParts {
  const { packages, repositories, environments, unitFiles } = installation;
  const files = configFiles(
    plan,
    nativePlace(plan.config),
    SYSTEM_PLACES,
    installation.configFile,
    paths.CONFIG_FOLDER,
  );
  const secrets = secretFiles(plan.config, installation, plan.database, plan.secrets);
  const restart = [
    ...[`${programFolder(SERVICE)}/listen.py`, ...Object.keys(unitFiles)],
    ...[...Object.keys(files.restart), ...Object.keys(secrets)],
  ];
  return {
    release: {
      ...{ packages, repositories, environments, secrets, images: [], containerSecrets: {} },
      users: { [paths.USER]: { home: paths.DATA_FOLDER, groups: [] } },
      directories: directories(),
      files: { ...hostPrograms(SERVICE), ...unitFiles, ...files.restart, ...files.reload },
      units: {
        [paths.UNIT]: {
          enabled: true,
          state: "running",
          restartOn: [...restart, ...Object.keys(environments).map((folder) => `environment:${folder}`)],
          reloadOn: Object.keys(files.reload),
        },
      },
      ports: portsOf(listenersOf(plan.config), paths.UNIT),
      preflights: {
        former: {
          program: `${programFolder(SERVICE)}/former_server.sh`,
          arguments: [paths.NATIVE_PATHS.signingKey],
        },
      },
      validators: nativeValidators(
        `${installation.programs}/python`,
        installation.configPaths,
        ownUnit(installation),
      ),
      health: { answers: answersProbe(plan.config, SYSTEM_PLACES, NATIVE_SOCKET) },
    },
    dataPath: paths.DATA_FOLDER,
    mediaPath: paths.NATIVE_PATHS.media,
    logFile: paths.NATIVE_PATHS.logFile,
  };
}

/** Listens on its socket, and on the machine's own loopback where the stack says so. */
export function nativePlace({ listener }: HomeserverConfig): paths.SynapsePlace {
  return {
    paths: paths.NATIVE_PATHS,
    socket: NATIVE_SOCKET,
    listen: listener && { port: listener.port, addresses: listener.bindAddresses },
  };
}

/** What Synapse opens for other programs on the host. */
function listenersOf({ listener }: HomeserverConfig): Listener[] {
  if (listener === undefined) return [];
  return listener.bindAddresses.map((address) => ({ address, port: listener.port }));
}

/** Not the media's: Synapse makes it itself, in a directory that is its own. */
function directories() {
  const own = { mode: "0750", owner: paths.USER, group: paths.USER };
  return {
    [programFolder(SERVICE)]: PUBLIC_DIRECTORY,
    [paths.CONFIG_FOLDER]: PUBLIC_DIRECTORY,
    [paths.SECRETS_FOLDER]: { mode: "0750", owner: "root", group: paths.USER },
    [paths.DATA_FOLDER]: own,
    [paths.LOG_FOLDER]: own,
  };
}

/** Our unit file; the vendor's package has its own. */
function ownUnit({ unitFiles }: Installation): string | undefined {
  return Object.keys(unitFiles).find((path) => path.endsWith(".service"));
}
