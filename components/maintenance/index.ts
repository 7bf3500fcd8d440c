import * as pulumi from "@pulumi/pulumi";
import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { MAINTENANCE_ACCOUNT } from "../../config-schemas/maintenance/schema";
import type { MaintenanceModel } from "../../config-schemas/model";
import type { Release } from "../../provider/sdk";
import { serviceRelease } from "../../runtimes/release";
import type { Homeserver } from "../homeserver";
import { jobAccount, jobHostOf } from "../homeserver/jobs";
import type { Machine } from "../hosts";
import { maintenanceSpecs, SERVICE } from "./spec";

export interface MaintenanceArgs {
  config: MaintenanceModel;
  homeserverConfig: HomeserverConfig;
  machine: Machine;
  homeserver: Homeserver;
}

/**
 * The tasks that Synapse does not do reliably on a host that is off at night: purge messages, and tell other servers that this
 * one is back; and a monthly cleaning. Stateless, except for its log and its records of past runs.
 */
export class Maintenance extends pulumi.ComponentResource {
  readonly release: Release;

  constructor(name: string, args: MaintenanceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:maintenance:Maintenance", name, {}, opts);
    const { config, homeserverConfig, machine, homeserver } = args;
    // An admin, because Synapse requires that for purging.
    const person = { localpart: MAINTENANCE_ACCOUNT, admin: true, displayName: "Hearth maintenance" };
    const account = jobAccount(machine, homeserver, person, this);
    const known = pulumi.all([jobHostOf(homeserver, config), homeserver.mediaPath, machine.places]);
    const { parts } = machine.service((_, [host, media, places]) => {
      const disk = { media, database: places.data("postgres") };
      return maintenanceSpecs(config, homeserverConfig, disk, host);
    }, known);
    const dependsOn = [...machine.ready, homeserver.release, account];
    this.release = serviceRelease(name, SERVICE, machine, parts, { parent: this, dependsOn });
    this.registerOutputs({ digest: this.release.digest });
  }
}
