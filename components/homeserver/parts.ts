import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { registrationRequirements } from "../../config-schemas/homeserver/schema";
import type {
  ContainerSecret,
  HealthProbe,
  HostFile,
  HostSecret,
  Inputs,
  ReleaseInputs,
} from "../../provider/sdk";
import { publicFile } from "../../runtimes/ownership";
import type { Places } from "../../runtimes/places";
import type { DatabaseAccess } from "../postgres";
import type { SynapsePlace } from "./paths";
import { renderHomeserver, renderLogging } from "./render";
import type { GivenSecrets } from "./secrets";

export const SERVICE = "homeserver";

/** What both runtimes make theirs of. */
export interface HomeserverPlan {
  config: HomeserverConfig;
  database: DatabaseAccess;
  /** Identity server that clients are told about. */
  identityServer?: string;
  secrets: GivenSecrets;
}

/** What one runtime makes of the homeserver. */
export interface HomeserverParts {
  release: Pick<
    ReleaseInputs,
    | "packages"
    | "repositories"
    | "users"
    | "directories"
    | "files"
    | "images"
    | "environments"
    | "units"
    | "ports"
    | "preflights"
    | "validators"
    | "health"
  > & {
    secrets: Record<string, Inputs<HostSecret>>;
    containerSecrets: Record<string, Inputs<ContainerSecret>>;
  };
  /** Paths on the host. */
  dataPath: string;
  mediaPath: string;
  logFile: string;
}

/** Whether Synapse answers, and reads its database for that. `socket`: path on the host. */
export function answersProbe({ serverName }: HomeserverConfig, places: Places, socket: string): HealthProbe {
  const argv = ["/bin/sh", `${places.programs(SERVICE)}/answers.sh`, socket, serverName];
  return { kind: "command", argv, timeoutSeconds: 60 };
}

/** Files of Synapse's configuration: what it reads at its start, and what it takes in while it runs. */
export interface ConfigFiles {
  restart: Record<string, HostFile>;
  reload: Record<string, HostFile>;
}

/**
 * Synapse's configuration.
 * @param target path of the main file on the host
 * @param folder folder of the others on the host
 */
export function configFiles(
  plan: HomeserverPlan,
  place: SynapsePlace,
  places: Places,
  target: string,
  folder: string,
): ConfigFiles {
  const { config, database, identityServer } = plan;
  const facts = { database, place, ...(identityServer === undefined ? {} : { identityServer }) };
  const captcha = registrationRequirements(config).includes("captcha") ? config.captcha : undefined;
  const beside = (path: string) => `${folder}/${path.slice(path.lastIndexOf("/") + 1)}`;
  return {
    restart: {
      [target]: publicFile(renderHomeserver(config, facts), places),
      ...(captcha === undefined
        ? {}
        : { [beside(place.paths.captchaPublicKey)]: publicFile(`${captcha.publicKey}\n`, places) }),
    },
    reload: {
      [beside(place.paths.logConfig)]: publicFile(renderLogging(config.logging, place.paths.logFile), places),
    },
  };
}
