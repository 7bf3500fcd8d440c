import * as pulumi from "@pulumi/pulumi";
import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { installSource } from "../../config-schemas/homeserver/schema";
import { type HomeserverAccess, type Inputs, Release } from "../../provider/sdk";
import type { Site } from "../../runtimes/job";
import type { Machine } from "../hosts";
import type { Postgres } from "../postgres";
import { installationFault, installationOf, readVendorKey } from "./installation";
import { NATIVE_SOCKET, nativeHomeserver } from "./native";
import { SERVICE } from "./parts";
import { CONTAINER_SECRETS, NATIVE_PATHS } from "./paths";
import { CONTAINER_SOCKET, hostSocket, jobSite, quadletHomeserver } from "./quadlet";
import type { GivenSecrets } from "./secrets";

export interface HomeserverArgs {
  config: HomeserverConfig;
  machine: Machine;
  postgres: Postgres;
  /** Identity server that clients are told about. */
  identityServer?: string;
  secrets: GivenSecrets;
  projectDirectory: string;
}

/** Synapse: its program, configuration, secrets and unit. Stateful: signing key, media and database outlive it. */
export class Homeserver extends pulumi.ComponentResource {
  readonly release: Release;
  readonly serverName: string;
  /** Path of its socket for who runs as it does: on the host, or in containers that mount the socket's folder. */
  readonly socket: string;
  /** What resources behind its API take. */
  readonly access: Inputs<HomeserverAccess>;
  /** Paths on the host. */
  readonly dataPath: pulumi.Output<string>;
  readonly mediaPath: pulumi.Output<string>;
  readonly logFile: pulumi.Output<string>;
  /** Where jobs run next to it; undefined: no container. */
  readonly site: pulumi.Output<Site> | undefined;

  constructor(name: string, args: HomeserverArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:homeserver:Homeserver", name, {}, opts);
    const { config, machine, postgres } = args;
    const contained = machine.runtime === "quadlet";
    this.serverName = config.serverName;
    this.socket = contained ? CONTAINER_SOCKET : NATIVE_SOCKET;
    this.site = contained ? machine.places.apply((places) => jobSite(config, places)) : undefined;
    this.access = {
      connection: machine.connection,
      scope: contained ? "user" : "system",
      homeserverUrl: contained
        ? machine.places.apply((places) => `unix:${hostSocket(places)}`)
        : `unix:${NATIVE_SOCKET}`,
      serverName: this.serverName,
      registrationSecret: contained ? `podman:${CONTAINER_SECRETS.registration}` : NATIVE_PATHS.registration,
    };
    const parts = this.partsOf(args);
    this.dataPath = parts.dataPath;
    this.mediaPath = parts.mediaPath;
    this.logFile = parts.logFile;
    const release = parts.apply((one) => one.release);
    this.release = new Release(
      name,
      {
        connection: machine.connection,
        scope: machine.places.scope,
        release: SERVICE,
        identity: { serverName: config.serverName },
        packages: release.packages,
        repositories: release.repositories,
        users: release.users,
        directories: release.directories,
        files: release.files,
        secrets: release.secrets,
        images: release.images,
        containerSecrets: release.containerSecrets,
        environments: release.environments,
        units: release.units,
        ports: release.ports,
        preflights: release.preflights,
        validators: release.validators,
        health: release.health,
      },
      { parent: this, dependsOn: [...machine.ready, postgres.release] },
    );
    this.registerOutputs({ digest: this.release.digest });
  }

  /** What the machine's runtime makes of it; says at once why a machine cannot have the packages that the stack asks for. */
  private partsOf({ config, machine, postgres, identityServer, secrets, projectDirectory }: HomeserverArgs) {
    const contained = machine.runtime === "quadlet";
    const withKey = !contained && installSource(config) === "apt";
    const vendorKey = withKey ? readVendorKey(projectDirectory) : undefined;
    // Not the secrets among these: everything would become one.
    const known = pulumi.all([postgres.access, machine.facts, machine.places]);
    return known.apply(([database, facts, places]) => {
      const plan = { config, database, secrets, ...(identityServer === undefined ? {} : { identityServer }) };
      if (contained) return quadletHomeserver(plan, places);
      const fault = installationFault(config, facts);
      // An error thrown in here would be told once for every value that depends on it.
      if (fault !== undefined) void pulumi.log.error(fault, this);
      return nativeHomeserver(plan, installationOf(config, facts, database, vendorKey));
    });
  }
}
