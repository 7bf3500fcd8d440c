import * as pulumi from "@pulumi/pulumi";
import { resolveFile } from "../../config-schemas/files";
import type { HostConfig } from "../../config-schemas/hosts/schema";
import type { NamedHost, StackModel } from "../../config-schemas/model";
import { secretOutput } from "../../config-schemas/secret-output";
import { columnOf } from "../../hosts/distributions";
import { type Connection, Host, type Inputs, Release } from "../../provider/sdk";
import { RUNTIMES } from "../../runtimes";
import type { Layout } from "../../runtimes/layout";
import { type Places, SYSTEM_PLACES, userPlaces } from "../../runtimes/places";
import type { ReleaseParts } from "../../runtimes/runtime";
import type { ServiceSpec } from "../../runtimes/service";
import { memoryBudget } from "./budget";
import { containerPackages, type HostFacts, hostFacts, questions } from "./facts";
import { rootlessRelease } from "./rootless";

export interface MachineArgs {
  config: HostConfig;
  /** Relative paths in the stack file start here. */
  projectDirectory: string;
  /** Password for sudo; absent: sudo needs no password. */
  sudoPassword?: pulumi.Input<string> | undefined;
  /** Memory limit of each program on it, MiB; absent: not compared with the host's memory. */
  memory?: Record<string, number>;
}

/** A service on one host. */
export interface Service {
  /** Of the first spec if there are several jobs. */
  layout: pulumi.Output<Layout>;
  parts: pulumi.Output<ReleaseParts>;
}

/** One host of the stack: its connection, its facts, and the settings by root that rootless containers need. */
export class Machine extends pulumi.ComponentResource {
  /** Its name in the stack file; every resource on it is named after it. */
  readonly name: string;
  readonly connection: Inputs<Connection>;
  readonly host: Host;
  /** Resources on this host depend on these, so nothing is planned for a host that does not qualify or is not prepared. */
  readonly ready: pulumi.Input<pulumi.Resource>[];
  /** Whether Hearth logs in as root, or can become root. */
  readonly mayBeRoot: boolean;
  /** Known in previews. */
  readonly facts: pulumi.Output<HostFacts>;
  /** The runtime of its services. */
  readonly runtime: HostConfig["runtime"];
  /** The folders of its services. Known in previews. */
  readonly places: pulumi.Output<Places>;

  constructor(name: string, args: MachineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:hosts:Machine", name, {}, opts);
    this.name = name;
    this.connection = connectionOf(name, args);
    this.runtime = args.config.runtime;
    const rootless = this.runtime === "quadlet";
    this.mayBeRoot = !rootless || args.config.become === "sudo";
    const { connection } = this;
    const look = { connection, rootless, memory: args.memory ?? {}, ...questions(this.runtime) };
    this.host = new Host(name, look, { parent: this });
    this.facts = this.host.facts.apply(hostFacts);
    this.ready = [this.host];
    if (rootless && args.config.become === "sudo") this.ready.push(this.prerequisites());
    this.places = this.facts.apply(({ login }) => (rootless ? userPlaces(login) : SYSTEM_PLACES));
    this.registerOutputs({ facts: this.facts });
  }

  /**
   * Renders a service for this host: its paths, and the contents of its Release.
   * @param spec returns the service, or the jobs of one component, for a host with these facts
   * @param known an output that `spec` needs as a plain value
   */
  service<T = undefined>(
    spec: (facts: HostFacts, known: T) => ServiceSpec | readonly ServiceSpec[],
    known?: pulumi.Input<T>,
  ): Service {
    const runtime = RUNTIMES[this.runtime];
    const rendered = pulumi.all([this.facts, this.places, known]).apply(([facts, places, value]) => {
      const host = { places, memoryMiB: facts.memoryMiB };
      const specs = [spec(facts, value as T)].flat();
      return {
        layouts: specs.map((one) => runtime.layout(one, host)),
        parts: runtime.render(specs, host),
      };
    });
    return {
      layout: rendered.apply(({ layouts: [first] }) => {
        if (first === undefined) throw new Error("the service has no spec");
        return first;
      }),
      parts: rendered.apply(({ parts }) => parts),
    };
  }

  /** Not used without sudo: the Host then refuses a host that lacks something, and its message lists the commands. */
  private prerequisites(): Release {
    return new Release(
      `${this.name}-rootless`,
      {
        connection: this.connection,
        scope: "system",
        release: "rootless",
        packages: this.facts.apply(containerPackages),
        ...rootlessRelease(this.facts.login.user),
      },
      { parent: this, dependsOn: this.host },
    );
  }
}

/** The connection for the provider. Its files have absolute paths, because the provider runs in another directory. */
function connectionOf(name: string, args: MachineArgs): Inputs<Connection> {
  const { alwaysOn: _, runtime: __, sshConfigFile, identityFile, knownHostsFile, ...reach } = args.config;
  const files = Object.entries({ sshConfigFile, identityFile, knownHostsFile }).flatMap(([key, file]) =>
    file === undefined ? [] : [[key, resolveFile(args.projectDirectory, file)]],
  );
  const sudo = args.sudoPassword === undefined ? {} : { sudoPassword: args.sudoPassword };
  return { name, ...reach, ...Object.fromEntries(files), ...sudo };
}

/** The hosts of a stack. */
export interface Machines {
  /** The host of all services except for the proxy, if that is elsewhere. */
  homeserver: Machine;
  /** The host of the proxy. */
  proxy: Machine;
  /** The distribution of each host, for people, e.g. `Debian 13 (trixie)`. Known in previews. */
  distributions: Readonly<Record<string, pulumi.Output<string>>>;
}

/** Creates one Machine for each entry of `hearth:hosts`. */
export function machinesOf(config: StackModel, projectDirectory: string): Machines {
  const made = new Map<string, Machine>();
  const machineOf = ({ name, config: host }: NamedHost): Machine => {
    const password = config.sudo.get(name);
    const sudoPassword = password && secretOutput(password);
    const memory = memoryBudget(config, name);
    const machine =
      made.get(name) ?? new Machine(name, { config: host, projectDirectory, sudoPassword, memory });
    made.set(name, machine);
    return machine;
  };
  const serving = {
    homeserver: machineOf(config.serving.homeserver),
    proxy: machineOf(config.serving.proxy),
  };
  const machines = Object.entries(config.hosts).map(([name, host]) => machineOf({ name, config: host }));
  const distribution = ({ facts }: Machine) => facts.apply((known) => columnOf(known).title);
  return {
    ...serving,
    distributions: Object.fromEntries(machines.map((machine) => [machine.name, distribution(machine)])),
  };
}
