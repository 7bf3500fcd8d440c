import * as pulumi from "@pulumi/pulumi";
import { resolveFile } from "../../config-schemas/files";
import type { HostConfig } from "../../config-schemas/hosts/schema";
import type { StackConfig } from "../../config-schemas/stack";
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
  /** Where relative paths in the stack file start. */
  projectDirectory: string;
  /** Password for sudo; absent: sudo asks for none. */
  sudoPassword?: pulumi.Input<string> | undefined;
  /** MiB of memory that each use of it may take; absent: not compared with what it has. */
  memory?: Record<string, number>;
}

/** A service on one host. */
export interface Service {
  /** Of the first, where there are several jobs. */
  layout: pulumi.Output<Layout>;
  parts: pulumi.Output<ReleaseParts>;
}

/** One machine of the stack: how it is reached, its facts, and what root puts right there for containers without root. */
export class Machine extends pulumi.ComponentResource {
  /** Its name in the stack file; every resource on it is named after it. */
  readonly name: string;
  readonly connection: Inputs<Connection>;
  readonly host: Host;
  /** What others on this machine depend on: nothing is planned for a machine that cannot work, or is not prepared yet. */
  readonly ready: pulumi.Input<pulumi.Resource>[];
  /** Whether Hearth works as root there, or becomes root where it has to. */
  readonly mayBeRoot: boolean;
  /** Known in previews. */
  readonly facts: pulumi.Output<HostFacts>;
  /** How services run on it. */
  readonly runtime: HostConfig["runtime"];
  /** Where its services put their things, known in previews. */
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
   * What a service is on this host: where its things are, and what its Release puts there.
   * @param spec what it is (or what the jobs of one component are), on a host with these facts, when `known` is known
   */
  service<T = undefined>(
    spec: (facts: HostFacts, known: T) => ServiceSpec | readonly ServiceSpec[],
    known?: pulumi.Input<T>,
  ): Service {
    const runtime = RUNTIMES[this.runtime];
    const made = pulumi.all([this.facts, this.places, known]).apply(([facts, places, value]) => {
      const host = { places, memoryMiB: facts.memoryMiB };
      const specs = [spec(facts, value as T)].flat();
      return {
        layouts: specs.map((one) => runtime.layout(one, host)),
        parts: runtime.render(specs, host),
      };
    });
    return {
      layout: made.apply(({ layouts: [first] }) => {
        if (first === undefined) throw new Error("a service without a spec");
        return first;
      }),
      parts: made.apply(({ parts }) => parts),
    };
  }

  /** Without sudo there is none: the Host has refused a machine on which something is missing, with the commands. */
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

/** The connection as the provider takes it: files by their full paths, for the provider runs in a directory of its own. */
function connectionOf(name: string, args: MachineArgs): Inputs<Connection> {
  const { alwaysOn: _, runtime: __, sshConfigFile, identityFile, knownHostsFile, ...reach } = args.config;
  const files = Object.entries({ sshConfigFile, identityFile, knownHostsFile }).flatMap(([key, file]) =>
    file === undefined ? [] : [[key, resolveFile(args.projectDirectory, file)]],
  );
  const sudo = args.sudoPassword === undefined ? {} : { sudoPassword: args.sudoPassword };
  return { name, ...reach, ...Object.fromEntries(files), ...sudo };
}

/** The machines of a stack by name. */
export interface Machines {
  /** That each section names a machine of the stack was checked when the stack file was read. */
  get(name: string): Machine;
}

/** One machine for each entry of `hearth:hosts`. */
export function machinesOf(
  config: StackConfig,
  sudoPasswords: Readonly<Record<string, pulumi.Output<string>>>,
  projectDirectory: string,
): Machines {
  const machines = new Map(
    Object.entries(config.hosts).map(([name, host]) => {
      const sudoPassword = sudoPasswords[name];
      const memory = memoryBudget(config, name);
      return [name, new Machine(name, { config: host, projectDirectory, sudoPassword, memory })];
    }),
  );
  return {
    get(name) {
      const machine = machines.get(name);
      if (machine === undefined) throw new Error(`no machine ${name} in this stack`);
      return machine;
    },
  };
}
