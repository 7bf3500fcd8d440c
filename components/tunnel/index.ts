import * as pulumi from "@pulumi/pulumi";
import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import type { FunnelModel } from "../../config-schemas/model";
import { secretOutput } from "../../config-schemas/secret-output";
import { columnOf } from "../../hosts/distributions";
import type { Release } from "../../provider/sdk";
import { endpoint } from "../../runtimes/listener";
import { native } from "../../runtimes/native";
import { SYSTEM_PLACES } from "../../runtimes/places";
import { serviceRelease } from "../../runtimes/release";
import type { Machine } from "../hosts";
import type { HostFacts } from "../hosts/facts";
import type { ReverseProxy } from "../proxy";
import { type Installation, installationFault, installationOf, readVendorKey } from "./installation";
import { funnelSpec, SERVICE } from "./spec";

export interface TunnelArgs {
  config: FunnelModel;
  machine: Machine;
  /** The homeserver's public name: it must become the host's name in its tailnet. */
  homeserverConfig: Pick<HomeserverConfig, "publicHost">;
  /** Its release must exist before the tunnel opens. */
  proxy: Pick<ReverseProxy, "release">;
  projectDirectory: string;
}

/**
 * The public connection through Tailscale Funnel: tailscaled runs, the host is in its tailnet, and Funnel is on. When the
 * resource is deleted, Funnel is turned off; tailscaled and the host's membership in the tailnet stay. Stateless.
 */
export class Tunnel extends pulumi.ComponentResource {
  readonly release: Release;

  constructor(name: string, args: TunnelArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:tunnel:Tunnel", name, {}, opts);
    const { machine, config, homeserverConfig, proxy } = args;
    const { publicHost } = homeserverConfig;
    const authKey = config.authKey && secretOutput(config.authKey);
    // tailscaled belongs to the system: Hearth configures it as root if it can, else with the rights of tailscaled's operator.
    const places = pulumi.output(machine.mayBeRoot ? SYSTEM_PLACES : machine.places);
    const vendorKey = readVendorKey(args.projectDirectory);
    const parts = pulumi.all([machine.facts, places]).apply(([facts, at]) => {
      const installation = this.installation(args, facts, vendorKey);
      const target = `http://${endpoint(config.target)}`;
      const spec = funnelSpec({ config, publicHost, target, authKey, installation, places: at });
      return native.render([spec], { places: at, memoryMiB: facts.memoryMiB });
    });
    this.release = serviceRelease(name, SERVICE, { connection: machine.connection, places }, parts, {
      parent: this,
      dependsOn: [...machine.ready, proxy.release],
    });
    this.registerOutputs({ digest: this.release.digest });
  }

  private installation(
    { config, machine }: TunnelArgs,
    facts: HostFacts,
    vendorKey: string | undefined,
  ): Installation {
    const scope = machine.mayBeRoot ? "system" : "user";
    const question = { config, facts, scope, vendorKey } as const;
    const fault = installationFault(question);
    // An error thrown here would be reported once for every value that depends on it.
    if (fault !== undefined) void pulumi.log.error(fault, this);
    const found = installationOf(question);
    return scope === "system"
      ? { ...found, packages: { ...found.packages, [columnOf(facts).python.package]: "any" } }
      : found;
  }
}
