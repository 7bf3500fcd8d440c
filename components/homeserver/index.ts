import * as pulumi from "@pulumi/pulumi";
import type { HomeserverConfig } from "../../config-schemas/homeserver";
import { registrationRequirements } from "../../config-schemas/homeserver";
import { type HostFile, Release } from "../../provider/sdk";
import type { Machine } from "../hosts";
import { PUBLIC_DIRECTORY, publicFile } from "../ownership";
import type { Postgres } from "../postgres";
import { hostPrograms, programFolder } from "../programs";
import { type Installation, installationFault, installationOf, readVendorKey } from "./installation";
import * as paths from "./paths";
import { renderHomeserver, renderLogging } from "./render";
import { type GivenSecrets, secretFiles } from "./secrets";
import { validatorsOf } from "./validators";

const SERVICE = "homeserver";
const DATABASE_RESTART = "database-restart";

export interface HomeserverArgs {
  config: HomeserverConfig;
  machine: Machine;
  postgres: Postgres;
  /** Identity server that clients are told about. */
  identityServer?: string;
  secrets: GivenSecrets;
  projectDirectory: string;
}

/**
 * Synapse, native: its program, configuration, secrets and unit. Stateful: signing key, media and database outlive it.
 */
export class Homeserver extends pulumi.ComponentResource {
  readonly release: Release;
  readonly serverName: string;
  /** How the host itself reaches it. */
  readonly localUrl: string;
  /** `address:port` for a proxy on the same host. */
  readonly upstream: string;
  readonly registrationSecretPath = paths.SECRET_FILES.registration;
  readonly mediaPath = paths.MEDIA_FOLDER;
  readonly logFile = paths.LOG_FILE;

  constructor(name: string, args: HomeserverArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:homeserver:Homeserver", name, {}, opts);
    const { config, machine, postgres } = args;
    this.serverName = config.serverName;
    this.upstream = upstreamOf(config);
    this.localUrl = `http://${this.upstream}`;
    const vendorKey = config.install === "apt" ? readVendorKey(args.projectDirectory) : undefined;
    const installation = machine.facts.apply((facts) => {
      const fault = installationFault(config, facts);
      // An error thrown in here would be told once for every value that depends on it.
      if (fault !== undefined) void pulumi.log.error(fault, this);
      return installationOf(config, facts, vendorKey);
    });
    this.release = new Release(
      name,
      {
        connection: machine.connection,
        scope: "system",
        release: SERVICE,
        identity: { serverName: config.serverName },
        packages: installation.packages,
        repositories: installation.repositories,
        users: { [paths.USER]: { home: paths.DATA_FOLDER, groups: [] } },
        directories: directories(),
        files: installation.apply((layout) => filesOf(args, layout)),
        secrets: installation.apply((layout) => secretFiles(config, layout, postgres.access, args.secrets)),
        environments: installation.environments,
        // A restart of the database closes the connections that Synapse keeps, and each of them fails one request.
        revisions: { [DATABASE_RESTART]: postgres.restartDigest },
        units: installation.apply((layout) => unitsOf(args, layout)),
        validators: installation.apply((layout) =>
          validatorsOf(`${layout.programs}/python`, layout.configPaths, ownUnit(layout)),
        ),
        health: {
          answers: { kind: "http", url: `${this.localUrl}/health`, status: 200, timeoutSeconds: 60 },
        },
      },
      { parent: this, dependsOn: [machine.host, postgres.release] },
    );
    this.registerOutputs({ digest: this.release.digest });
  }
}

function upstreamOf({ listener }: HomeserverConfig): string {
  const [address = "127.0.0.1"] = listener.bindAddresses;
  return `${address.includes(":") ? `[${address}]` : address}:${listener.port}`;
}

function directories() {
  const own = { mode: "0750", owner: paths.USER, group: paths.USER };
  return {
    [programFolder(SERVICE)]: PUBLIC_DIRECTORY,
    [paths.CONFIG_FOLDER]: PUBLIC_DIRECTORY,
    [paths.SECRETS_FOLDER]: { mode: "0750", owner: "root", group: paths.USER },
    [paths.DATA_FOLDER]: own,
    [paths.MEDIA_FOLDER]: own,
    [paths.LOG_FOLDER]: own,
  };
}

function filesOf(
  { config, postgres, identityServer }: HomeserverArgs,
  layout: Installation,
): Record<string, HostFile> {
  const facts = {
    database: postgres.access,
    ...(identityServer === undefined ? {} : { identityServer }),
  };
  const captcha = registrationRequirements(config).includes("captcha") ? config.captcha : undefined;
  return {
    ...hostPrograms(SERVICE),
    ...layout.unitFiles,
    [layout.configFile]: publicFile(renderHomeserver(config, facts)),
    [paths.LOG_CONFIG]: publicFile(renderLogging(config.logging, paths.LOG_FILE)),
    ...(captcha === undefined
      ? {}
      : { [paths.SECRET_FILES.captchaPublicKey]: publicFile(`${captcha.publicKey}\n`) }),
  };
}

/** Synapse reads everything but its log configuration only when it starts. */
function unitsOf(args: HomeserverArgs, layout: Installation) {
  const secrets = secretFiles(args.config, layout, args.postgres.access, args.secrets);
  const files = Object.keys(filesOf(args, layout)).filter(
    (path) => path.startsWith("/etc/") && path !== paths.LOG_CONFIG,
  );
  return {
    [paths.UNIT]: {
      enabled: true,
      state: "running" as const,
      restartOn: [
        ...files,
        ...Object.keys(secrets),
        ...Object.keys(layout.environments).map((folder) => `environment:${folder}`),
        `revision:${DATABASE_RESTART}`,
      ],
      reloadOn: [paths.LOG_CONFIG],
    },
  };
}

/** Our unit file; the vendor's package has its own. */
function ownUnit(layout: Installation): string | undefined {
  return Object.keys(layout.unitFiles).find((path) => path.endsWith(".service"));
}
