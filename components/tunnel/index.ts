import * as pulumi from "@pulumi/pulumi";
import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import type { TunnelConfig } from "../../config-schemas/tunnel/schema";
import { columnOf } from "../../hosts/distributions";
import type { Release } from "../../provider/sdk";
import { native } from "../../runtimes/native";
import { SYSTEM_PLACES } from "../../runtimes/places";
import { serviceRelease } from "../../runtimes/release";
import type { Machine } from "../hosts";
import type { HostFacts } from "../hosts/facts";
import type { ReverseProxy } from "../proxy";
import { type Installation, installationFault, installationOf, readVendorKey } from "./installation";
import { funnelSpec, SERVICE } from "./spec";

export interface TunnelArgs {
  config: TunnelConfig;
  machine: Machine;
  /** Its public name must become the machine's own in its tailnet. */
  homeserverConfig: Pick<HomeserverConfig, "publicHost">;
  /** Where the tunnel leads; it must be in place before the world may come in. */
  proxy: Pick<ReverseProxy, "release" | "localUrl">;
  /** Key with which the machine joins the tailnet; absent: a person logs in by a link. */
  authKey?: pulumi.Output<string> | undefined;
  projectDirectory: string;
}

/**
 * The way in through Tailscale Funnel: tailscaled there and running, the machine in its tailnet, Funnel on. tailscaled itself
 * and the machine's place in the tailnet outlive it; Funnel does not. Stateless.
 */
export class Tunnel extends pulumi.ComponentResource {
  readonly release: Release;

  constructor(name: string, args: TunnelArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:tunnel:Tunnel", name, {}, opts);
    const { machine, config, homeserverConfig, authKey, proxy } = args;
    const { publicHost } = homeserverConfig;
    // tailscaled is the system's: with root at hand everything is done as root, else only what its operator may do.
    const places = pulumi.output(machine.mayBeRoot ? SYSTEM_PLACES : machine.places);
    const vendorKey = readVendorKey(args.projectDirectory);
    const parts = pulumi.all([machine.facts, places]).apply(([facts, at]) => {
      const installation = this.installation(args, facts, vendorKey);
      const target = targetOf(args);
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
    // An error thrown in here would be told once for every value that depends on it.
    if (fault !== undefined) void pulumi.log.error(fault, this);
    const found = installationOf(question);
    return scope === "system"
      ? { ...found, packages: { ...found.packages, [columnOf(facts).python.package]: "any" } }
      : found;
  }
}

/** rules.ts refuses a tunnel in front of a proxy that ends TLS itself. */
function targetOf({ proxy }: TunnelArgs): string {
  if (proxy.localUrl === undefined)
    throw new Error("no plain HTTP behind the tunnel: the rules must have refused this stack");
  return proxy.localUrl;
}
