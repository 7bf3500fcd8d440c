import type { HomeserverConfig } from "../../config-schemas/homeserver";
import { registrationRequirements } from "../../config-schemas/homeserver";
import type { ContainerSecret, HostFile, HostSecret, Inputs, ReleaseInputs } from "../../provider/sdk";
import { publicFile } from "../ownership";
import type { Places } from "../places";
import type { DatabaseAccess } from "../postgres";
import type { SynapsePlace } from "./paths";
import { renderHomeserver, renderLogging } from "./render";
import type { GivenSecrets } from "./secrets";

export const SERVICE = "homeserver";
const DATABASE_RESTART = "database-restart";
/** The subject of a unit's list for {@link HomeserverParts}: a restart of the database. */
export const DATABASE_RESTARTED = `revision:${DATABASE_RESTART}`;

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
    | "validators"
  > & {
    secrets: Record<string, Inputs<HostSecret>>;
    containerSecrets: Record<string, Inputs<ContainerSecret>>;
  };
  /** Paths on the host. */
  dataPath: string;
  mediaPath: string;
  logFile: string;
}

/** A restart of the database closes the connections that Synapse keeps, and each of them fails one request. */
export function revisionsOf(databaseRestart: string): Record<string, string> {
  return { [DATABASE_RESTART]: databaseRestart };
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
