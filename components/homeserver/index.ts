import * as pulumi from "@pulumi/pulumi";
import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { installSource } from "../../config-schemas/homeserver/schema";
import type { HomeserverSecrets } from "../../config-schemas/model";
import type { SocketEndpoint } from "../../hosts/link";
import type { HomeserverAccess, Inputs, Release } from "../../provider/sdk";
import type { Layout } from "../../runtimes/layout";
import { madeSecrets, serviceRelease } from "../../runtimes/release";
import type { Machine } from "../hosts";
import type { Postgres } from "../postgres";
import { installationFault, readVendorKey } from "./installation";
import { SOCKET } from "./names";
import { homeserverSpec, hostSocket } from "./spec";

export interface HomeserverArgs {
  config: HomeserverConfig;
  machine: Machine;
  postgres: Postgres;
  /** Identity server that the client document names. */
  identityServer?: string;
  secrets: HomeserverSecrets;
  projectDirectory: string;
}

/** Synapse: its program, configuration, secrets and unit. Stateful: signing key, media and database stay when it is deleted. */
export class Homeserver extends pulumi.ComponentResource {
  readonly release: Release;
  readonly serverName: string;
  /** Path of its socket for the proxy on its host: a container sees it where it mounts the socket's folder. */
  readonly socket: SocketEndpoint = { kind: "socket", path: SOCKET };
  /** Its socket for other programs on its host. */
  readonly endpoint: pulumi.Output<SocketEndpoint>;
  /** Its paths. */
  readonly layout: pulumi.Output<Layout>;
  /** Inputs of all resources that use its API. */
  readonly access: Inputs<HomeserverAccess>;
  /** Paths of its secrets that were created on the host. */
  readonly secrets: pulumi.Output<string[]>;
  /** Paths on the host. */
  readonly mediaPath: pulumi.Output<string>;
  readonly logFile: pulumi.Output<string>;

  constructor(name: string, args: HomeserverArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:homeserver:Homeserver", name, {}, opts);
    const { config, machine, postgres } = args;
    this.serverName = config.serverName;
    const service = this.serviceOf(args);
    this.layout = service.layout;
    this.secrets = service.parts.apply(madeSecrets);
    this.mediaPath = this.layout.apply(({ host }) => host.data("media"));
    this.logFile = this.layout.apply(({ host }) => `${host.data("log")}/homeserver.log`);
    this.endpoint = this.layout.apply((at): SocketEndpoint => ({ kind: "socket", path: hostSocket(at) }));
    this.access = {
      connection: machine.connection,
      scope: machine.places.scope,
      homeserverUrl: this.endpoint.apply(({ path }) => `unix:${path}`),
      serverName: this.serverName,
      registrationSecret: this.layout.apply(({ host }) => host.secret("registration")),
    };
    this.release = serviceRelease(
      name,
      "homeserver",
      machine,
      service.parts,
      { parent: this, dependsOn: [...machine.ready, postgres.release] },
      { identity: { serverName: config.serverName } },
    );
    this.registerOutputs({ digest: this.release.digest });
  }

  /** Renders Synapse for its host, and reports why the host cannot have the installation that the stack asks for. */
  private serviceOf({
    config,
    machine,
    postgres,
    identityServer,
    secrets,
    projectDirectory,
  }: HomeserverArgs) {
    const contained = machine.runtime === "quadlet";
    const vendorKey =
      !contained && installSource(config) === "apt" ? readVendorKey(projectDirectory) : undefined;
    return machine.service((facts, database) => {
      const fault = contained ? undefined : installationFault(config, facts);
      // An error thrown here would be reported once for every value that depends on it.
      if (fault !== undefined) void pulumi.log.error(fault, this);
      const identity = identityServer === undefined ? {} : { identityServer };
      return homeserverSpec({ config, database, secrets, vendorKey, ...identity }, facts);
    }, postgres.access);
  }
}
