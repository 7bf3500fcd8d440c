import type { HostFile, HostUnit, Ownership, Validator } from "../../provider/sdk";
import type { Layout, Paths } from "../layout";
import { portsOf } from "../listener";
import { publicFile } from "../ownership";
import { owned } from "../places";
import { programFilesOf, programsOf } from "../programs";
import {
  changing,
  type HostContext,
  healthOf,
  mapped,
  merged,
  type ReleaseParts,
  type Runtime,
} from "../runtime";
import type { NativeProgram, ServiceCheck, ServiceSecret, ServiceSpec } from "../service";

/** Runs a program as an unprivileged user: a program from a package index needs no privileges to print a secret. */
const WITHOUT_RIGHTS = [
  "/usr/bin/setpriv",
  ...["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--no-new-privs", "--inh-caps=-all", "--"],
];

/** Programs from packages, as systemd units of the whole host or of the login user. */
export const native: Runtime = { layout, render };

function programOf({ name, programs }: ServiceSpec): NativeProgram {
  if (programs.native === undefined) throw new Error(`${name} cannot run without a container`);
  return programs.native();
}

function layout(spec: ServiceSpec, host: HostContext): Layout {
  return layoutOf(spec, programOf(spec), host);
}

function layoutOf(spec: ServiceSpec, program: NativeProgram, { places, memoryMiB }: HostContext): Layout {
  const secrets = { ...spec.secrets, ...program.secrets };
  const below = (folder: string, name: string) => (name === "" ? folder : `${folder}/${name}`);
  const config = (file = "") => program.elsewhere?.[file] ?? below(places.config(spec.name), file);
  const secret = (role: string) => {
    const file = secrets[role]?.file;
    if (file === undefined) throw new Error(`${spec.name} has no secret ${role}`);
    return config(file);
  };
  const data = (name = "") => program.data?.[name] ?? below(places.data(spec.name), name);
  const paths: Paths = {
    config,
    program: (file = "") => below(places.programs(spec.name), file),
    data,
    secret,
  };
  return {
    inside: { ...paths, interpreter: program.interpreter ?? "", listen: (listeners) => listeners },
    host: paths,
    records: places.state,
    memoryMiB,
    once: (argv) => [...WITHOUT_RIGHTS, ...argv],
    restore: (role) => `write it to ${secret(role)}`,
  };
}

function render(specs: readonly ServiceSpec[], host: HostContext): ReleaseParts {
  return merged(specs.map((spec) => partsOf(spec, host)));
}

function partsOf(spec: ServiceSpec, host: HostContext): ReleaseParts {
  const program = programOf(spec);
  const at = layoutOf(spec, program, host);
  const { places } = host;
  const file = (text: string) => publicFile(text, places);
  const configured = [...(program.files ?? []), ...(spec.files ?? [])];
  const unitFiles = program.unitFiles?.(at) ?? {};
  const secrets = { ...spec.secrets, ...program.secrets };
  const programs = programsOf(spec.name);
  return {
    packages: { ...program.packages },
    repositories: { ...program.repositories },
    environments: { ...program.environments },
    users: { ...program.users },
    directories: {
      ...(programs.length === 0 ? {} : { [at.host.program()]: owned(places, "0755") }),
      ...(configured.length + Object.keys(secrets).length === 0
        ? {}
        : { [places.config(spec.name)]: owned(places, "0755") }),
      ...program.directories,
    },
    files: {
      ...mapped(programFilesOf(spec), (name, text) => [at.host.program(name), file(text)]),
      ...mapped(unitFiles, (path, text) => [path, file(text)]),
      ...Object.fromEntries(
        configured.map((one): [string, HostFile] => [at.host.config(one.name), file(one.text(at))]),
      ),
    },
    secrets: mapped(secrets, (role, secret) => [
      at.host.secret(role),
      { source: secret.source(at), ...accessOf(secret, owned(places, "0600")) },
    ]),
    tasks: { ...program.tasks?.(at) },
    units: { [program.unit]: unitOf(spec, program, at, Object.keys(unitFiles)) },
    ports: portsOf(spec.listens ?? [], program.unit),
    preflights: { ...program.preflights?.(at) },
    validators: {
      ...mapped({ ...spec.checks, ...program.checks }, (name, check) => [name, asked(check, program, at)]),
      ...program.validators?.(at),
    },
    health: healthOf(spec.health?.(at) ?? program.answers?.(at)),
  };
}

function accessOf({ access }: ServiceSecret, usual: Ownership): Ownership {
  return access ?? usual;
}

function unitOf(
  spec: ServiceSpec,
  program: NativeProgram,
  at: Layout,
  unitFiles: readonly string[],
): HostUnit {
  const files = [...(program.files ?? []), ...(spec.files ?? [])];
  const secrets = Object.entries({ ...spec.secrets, ...program.secrets });
  const paths = (change: "restart" | "reload") =>
    changing(files, change).map(({ name }) => at.host.config(name));
  return {
    ...(program.adopt === true ? { adopt: true } : {}),
    enabled: true,
    state: "running",
    restartOn: [
      ...(spec.runs ?? []).map((name) => at.host.program(name)),
      ...unitFiles,
      ...paths("restart"),
      ...secrets.flatMap(([role, { reader }]) => (reader === "service" ? [at.host.secret(role)] : [])),
      ...Object.keys(program.environments ?? {}).map((folder) => `environment:${folder}`),
      ...(program.restartOn ?? []),
      ...(spec.follows?.restart ?? []),
    ],
    reloadOn: [...paths("reload"), ...(spec.follows?.reload ?? [])],
    ...(program.along === undefined ? {} : { along: [...program.along] }),
  };
}

function asked(check: ServiceCheck, { user }: NativeProgram, at: Layout): Validator {
  const { timeoutSeconds, isolateNetwork } = check;
  return {
    argv: [...check.argv(at)],
    ...(user === undefined ? {} : { user }),
    timeoutSeconds,
    ...(isolateNetwork === true ? { isolateNetwork } : {}),
  };
}

/** Asks systemd to verify a unit: a unit's name, or the path of a complete unit file. */
export function unitCheck(unit: string): Validator {
  return { argv: ["/usr/bin/systemd-analyze", "verify", "--man=no", unit], timeoutSeconds: 30 };
}
