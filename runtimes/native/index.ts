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
import { renderTimer } from "../timer";

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
  const timer = timerOf(spec, program, places);
  const unitFiles = { ...program.unitFiles?.(at), ...timer };
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
    units:
      spec.schedule === undefined
        ? { [program.unit]: unitOf(spec, program, at, Object.keys(unitFiles)) }
        : { [timerName(program)]: { ...RUNNING, restartOn: Object.keys(timer), reloadOn: [] } },
    ports: {
      ...portsOf(spec.listens ?? [], program.unit),
      ...Object.fromEntries((program.opens ?? []).map((port) => [port, program.unit])),
    },
    preflights: { ...program.preflights?.(at) },
    publishes: { ...program.publishes?.(at) },
    validators: {
      ...mapped({ ...spec.checks, ...program.checks }, (name, check) => [name, asked(check, program, at)]),
      ...program.validators?.(at),
    },
    health: healthOf(spec.health?.(at) ?? program.answers?.(at)),
  };
}

const RUNNING = { enabled: true, state: "running" } as const;

function timerName({ unit }: NativeProgram): string {
  return unit.replace(/\.service$/, ".timer");
}

/** The timer of a service with a schedule, by path: only the timer starts it. */
function timerOf(
  { schedule, description }: ServiceSpec,
  program: NativeProgram,
  { units }: HostContext["places"],
): Record<string, string> {
  if (schedule === undefined) return {};
  const name = program.unit.replace(/\.service$/, "");
  return { [`${units}/${timerName(program)}`]: renderTimer({ name, description, ...schedule }) };
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
    ...RUNNING,
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
