import * as pulumi from "@pulumi/pulumi";
import type { PostgresConfig } from "../../config-schemas/postgres/schema";
import { Release } from "../../provider/sdk";
import type { Machine } from "../hosts";
import type { DatabaseAccess } from "./access";
import { loggedStatements } from "./logged-statements";
import { clusterFault, nativePostgres } from "./native";
import { SERVICE } from "./parts";
import { quadletPostgres } from "./quadlet";

export type { DatabaseAccess } from "./access";

export interface PostgresArgs {
  config: PostgresConfig;
  machine: Machine;
}

/** The database server and Synapse's database in it. Stateful: nothing here ever drops or recreates a database. */
export class Postgres extends pulumi.ComponentResource {
  readonly release: Release;
  readonly access: pulumi.Output<DatabaseAccess>;

  constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:postgres:Postgres", name, {}, opts);
    const { config, machine } = args;
    for (const warning of loggedStatements(config)) void pulumi.log.warn(warning, this);
    const parts = pulumi.all([machine.facts, machine.places]).apply(([facts, places]) => {
      if (machine.runtime === "quadlet") return quadletPostgres(config, places);
      const fault = clusterFault(facts);
      // An error thrown in here would be told once for every value that depends on it.
      if (fault !== undefined) void pulumi.log.error(fault, this);
      return nativePostgres(config, facts);
    });
    this.access = parts.access;
    const { release } = parts;
    this.release = new Release(
      name,
      {
        connection: machine.connection,
        scope: machine.places.scope,
        release: SERVICE,
        packages: release.packages,
        directories: release.directories,
        files: release.files,
        secrets: release.secrets,
        images: release.images,
        containerSecrets: release.containerSecrets,
        tasks: release.tasks,
        units: release.units,
        validators: release.validators,
        health: release.health,
      },
      { parent: this, dependsOn: machine.ready },
    );
    this.registerOutputs({ digest: this.release.digest });
  }
}
