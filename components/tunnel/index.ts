import * as pulumi from "@pulumi/pulumi";
import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import type { TunnelConfig } from "../../config-schemas/tunnel/schema";
import { type HostFacts, type HostSecret, type HostTask, type Inputs, Release } from "../../provider/sdk";
import { publicFile } from "../../runtimes/ownership";
import { owned, type Places, SYSTEM_PLACES } from "../../runtimes/places";
import { hostPrograms } from "../../runtimes/programs";
import type { Machine } from "../hosts";
import type { ReverseProxy } from "../proxy";
import { installationFault, installationOf, readVendorKey } from "./installation";
import { renderUnit, unitName } from "./unit";

const SERVICE = "tunnel";
/** Where the world comes in; the documents by which the homeserver is found name no other port. */
const PUBLIC_PORT = 443;

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
    const { machine } = args;
    // tailscaled is the system's: with root at hand everything is done as root, else only what its operator may do.
    const places = pulumi.output(machine.mayBeRoot ? SYSTEM_PLACES : machine.places);
    const scope = machine.mayBeRoot ? "system" : "user";
    const installation = installationFor(args, scope, this);
    this.release = new Release(
      name,
      {
        connection: machine.connection,
        scope,
        release: SERVICE,
        packages: installation.packages,
        repositories: installation.repositories,
        directories: places.apply((at) => ({
          [at.config(SERVICE)]: owned(at, "0755"),
          [at.programs(SERVICE)]: owned(at, "0755"),
        })),
        files: places.apply((at) => filesOf(args, at)),
        secrets: places.apply((at) => secretsOf(args, at)),
        tasks: places.apply((at) => tasksOf(args, at)),
        units: { [unitName(PUBLIC_PORT)]: funnelUnit() },
      },
      { parent: this, dependsOn: [...machine.ready, args.proxy.release] },
    );
    this.registerOutputs({ digest: this.release.digest });
  }
}

function installationFor(args: TunnelArgs, scope: Places["scope"], parent: pulumi.Resource) {
  const vendorKey = readVendorKey(args.projectDirectory);
  return args.machine.facts.apply((facts: HostFacts) => {
    const question = { config: args.config, facts, scope, vendorKey };
    const fault = installationFault(question);
    // An error thrown in here would be told once for every value that depends on it.
    if (fault !== undefined) void pulumi.log.error(fault, parent);
    const found = installationOf(question);
    return scope === "system" ? { ...found, packages: { ...found.packages, python3: "any" } } : found;
  });
}

const authKeyFile = (places: Places) => `${places.config(SERVICE)}/auth-key`;

/** rules.ts refuses a tunnel in front of a proxy that ends TLS itself. */
function targetOf({ proxy }: TunnelArgs): string {
  if (proxy.localUrl === undefined)
    throw new Error("no plain HTTP behind the tunnel: the rules must have refused this stack");
  return proxy.localUrl;
}

function filesOf(args: TunnelArgs, places: Places) {
  const unit = renderUnit({
    port: PUBLIC_PORT,
    target: targetOf(args),
    programs: places.programs(SERVICE),
    scope: places.scope,
  });
  return {
    ...hostPrograms(SERVICE, places),
    [`${places.units}/${unitName(PUBLIC_PORT)}`]: publicFile(unit, places),
  };
}

function secretsOf({ authKey }: TunnelArgs, places: Places): Record<string, Inputs<HostSecret>> {
  if (authKey === undefined) return {};
  const source = { kind: "given" as const, value: authKey };
  return { [authKeyFile(places)]: { source, ...owned(places, "0600") } };
}

/** In the order of their names: a daemon first, then a tailnet, then Funnel in it. */
function tasksOf(args: TunnelArgs, places: Places): Record<string, HostTask> {
  const { config, homeserverConfig, authKey } = args;
  const { publicHost } = homeserverConfig;
  const target = targetOf(args);
  const [label = ""] = publicHost.split(".");
  const join = [
    `--name=${publicHost}`,
    `--control-url=${config.controlUrl}`,
    `--hostname=${config.hostname ?? label}`,
    ...(authKey === undefined ? [] : [`--auth-key-file=${authKeyFile(places)}`]),
  ];
  const funnel = [`--port=${PUBLIC_PORT}`, `--target=${target}`];
  return {
    "10-daemon": task(places, "daemon.py", [], "enabled, active"),
    "20-joined": task(places, "joined.py", join, `${publicHost} at ${config.controlUrl}`),
    "30-funnel": task(places, "funnel.py", funnel, `funnel ${PUBLIC_PORT} -> ${target}`),
  };
}

function task(places: Places, program: string, options: string[], want: string): HostTask {
  const command = ["/usr/bin/python3", "-B", `${places.programs(SERVICE)}/${program}`];
  return { observe: [...command, "observe", ...options], apply: [...command, "apply", ...options], want };
}

/** Starts after the tasks, so that it finds its work done. */
function funnelUnit() {
  return {
    enabled: true,
    state: "running" as const,
    restartOn: ["task:20-joined"],
    reloadOn: [],
  };
}
