import * as pulumi from "@pulumi/pulumi";
import { resolveFile } from "../../config-schemas/files";
import type { HostConfig, HostsConfig } from "../../config-schemas/hosts";
import { type Connection, Host, type HostFacts, type Inputs } from "../../provider/sdk";

export interface MachineArgs {
  config: HostConfig;
  /** Where relative paths in the stack file start. */
  projectDirectory: string;
  /** Password for sudo; absent: sudo asks for none. */
  sudoPassword?: pulumi.Input<string> | undefined;
}

/** One machine of the stack: how it is reached, and its facts. Stateless. */
export class Machine extends pulumi.ComponentResource {
  /** Its name in the stack file; every resource on it is named after it. */
  readonly name: string;
  readonly connection: Inputs<Connection>;
  /** What others on this machine depend on: nothing is planned for a machine that cannot work. */
  readonly host: Host;
  /** Known in previews. */
  readonly facts: pulumi.Output<HostFacts>;

  constructor(name: string, args: MachineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:hosts:Machine", name, {}, opts);
    this.name = name;
    this.connection = connectionOf(name, args);
    this.host = new Host(name, { connection: this.connection }, { parent: this });
    this.facts = this.host.facts;
    this.registerOutputs({ facts: this.facts });
  }
}

/** The connection as the provider takes it: files by their full paths, for the provider runs in a directory of its own. */
function connectionOf(name: string, args: MachineArgs): Inputs<Connection> {
  const { alwaysOn: _, sshConfigFile, identityFile, knownHostsFile, ...reach } = args.config;
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
  hosts: HostsConfig,
  sudoPasswords: Readonly<Record<string, pulumi.Output<string>>>,
  projectDirectory: string,
): Machines {
  const machines = new Map(
    Object.entries(hosts).map(([name, config]) => {
      const sudoPassword = sudoPasswords[name];
      return [name, new Machine(name, { config, projectDirectory, sudoPassword })];
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
