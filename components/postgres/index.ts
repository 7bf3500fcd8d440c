import * as pulumi from "@pulumi/pulumi";
import type { PostgresConfig } from "../../config-schemas/postgres/schema";
import type { Release } from "../../provider/sdk";
import { madeSecrets, serviceRelease } from "../../runtimes/release";
import type { Machine } from "../hosts";
import type { DatabaseAccess } from "./access";
import { clusterAccess, clusterFault } from "./cluster";
import { imageAccess } from "./image";
import { loggedStatements } from "./logged-statements";
import { postgresSpec } from "./spec";

export type { DatabaseAccess } from "./access";

export interface PostgresArgs {
  config: PostgresConfig;
  machine: Machine;
}

/** The database server and Synapse's database. Stateful: nothing here drops or recreates a database. */
export class Postgres extends pulumi.ComponentResource {
  readonly release: Release;
  readonly access: pulumi.Output<DatabaseAccess>;
  /** Paths of its secrets, which were created on the host. */
  readonly secrets: pulumi.Output<string[]>;

  constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:postgres:Postgres", name, {}, opts);
    const { config, machine } = args;
    for (const warning of loggedStatements(config)) void pulumi.log.warn(warning, this);
    const contained = machine.runtime === "quadlet";
    const service = machine.service((facts) => {
      const fault = contained ? undefined : clusterFault(facts);
      // An error thrown here would be reported once for every value that depends on it.
      if (fault !== undefined) void pulumi.log.error(fault, this);
      return postgresSpec(config, facts);
    });
    this.secrets = service.parts.apply(madeSecrets);
    this.access = pulumi
      .all([service.layout, machine.facts])
      .apply(([at, facts]) => (contained ? imageAccess(config, at) : clusterAccess(config, facts, at)));
    this.release = serviceRelease(name, "postgres", machine, service.parts, {
      ...{ parent: this, dependsOn: machine.ready },
    });
    this.registerOutputs({ digest: this.release.digest });
  }
}
