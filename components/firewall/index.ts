import * as pulumi from "@pulumi/pulumi";
import type { FirewallConfig } from "../../config-schemas/firewall/schema";
import { parseDuration } from "../../config-schemas/language/common";
import type { Release } from "../../provider/sdk";
import { native } from "../../runtimes/native";
import { SYSTEM_PLACES } from "../../runtimes/places";
import { serviceRelease } from "../../runtimes/release";
import type { Machine } from "../hosts";
import { firewallSpec, SERVICE } from "./spec";

export interface FirewallArgs {
  config: FirewallConfig;
  /** With all its services: their ports are opened. */
  machine: Machine;
}

/**
 * A firewall for the host, as one table of nftables: open are sshd, the public ports of the services and what the operator names.
 * The host keeps a change only after a new login. When the resource is deleted, its table goes. Stateless.
 */
export class Firewall extends pulumi.ComponentResource {
  readonly release: Release;

  constructor(name: string, { config, machine }: FirewallArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:firewall:Firewall", name, {}, opts);
    // The kernel's rules are root's, also on a host whose services belong to a user.
    const places = SYSTEM_PLACES;
    const parts = pulumi.all([machine.facts, machine.ports]).apply(([facts, ports]) => {
      const plan = { ssh: facts.sshPorts ?? [], ports, open: config.open };
      return native.render([firewallSpec(plan, facts)], { places, memoryMiB: facts.memoryMiB });
    });
    this.release = serviceRelease(
      name,
      SERVICE,
      { connection: machine.connection, places: pulumi.output(places) },
      parts,
      { parent: this, dependsOn: machine.ready },
      { confirm: { seconds: parseDuration(config.confirm) } },
    );
    this.registerOutputs({ digest: this.release.digest });
  }
}
