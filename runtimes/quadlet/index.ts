import type { HostUnit, Validator } from "../../provider/sdk";
import { type Container, NETWORK } from "../container";
import type { Layout, Paths } from "../layout";
import { type Listener, portsOf } from "../listener";
import { publicFile } from "../ownership";
import { owned } from "../places";
import { programFilesOf } from "../programs";
import {
  changing,
  type HostContext,
  healthOf,
  mapped,
  merged,
  type ReleaseParts,
  type Runtime,
} from "../runtime";
import type { ContainerProgram, ServiceCheck, ServiceSecret, ServiceSpec } from "../service";
import { renderTimer } from "../timer";
import { quadletCheck, runOnce } from "./podman";
import { renderContainer, renderNetwork, renderVolume } from "./render";
import { renderSocket } from "./socket";

/** How long a container itself takes to start, in addition to its program, s. */
const START_SECONDS = 30;
/** Podman's folder of secrets inside a container. */
const SECRETS = "/run/secrets";

/** Rootless containers of the login user, as units that Podman's Quadlet generates. */
export const quadlet: Runtime = { layout, render };

/** A spec with its program, its host and all its secrets. */
interface Service {
  spec: ServiceSpec;
  program: ContainerProgram;
  host: HostContext;
  secrets: Readonly<Record<string, ServiceSecret>>;
}

function serviceOf(spec: ServiceSpec, host: HostContext): Service {
  const { quadlet: programOf } = spec.programs;
  if (programOf === undefined) throw new Error(`${spec.name} cannot run in a container`);
  const program = programOf();
  return { spec, program, host, secrets: { ...spec.secrets, ...program.secrets } };
}

/** Name of a Podman secret. */
function podmanSecret(role: string): string {
  return `hearth-${role}`;
}

function layout(spec: ServiceSpec, host: HostContext): Layout {
  return layoutOf(serviceOf(spec, host));
}

function layoutOf(service: Service): Layout {
  const { spec, program, host, secrets } = service;
  const { places } = host;
  const listened = (port: number) => [{ address: "0.0.0.0", port }];
  const at: Layout = {
    inside: {
      ...pathsBelow(program.inside.config ?? "", program.inside.programs ?? "", program.inside.data ?? ""),
      secret: (role) => `${SECRETS}/${secrets[role]?.inside ?? podmanSecret(role)}`,
      interpreter: program.interpreter ?? "",
      listen: (listeners) =>
        program.port === undefined || listeners.length === 0 ? [] : listened(program.port),
    },
    host: {
      ...pathsBelow(places.config(spec.name), places.programs(spec.name), places.data(spec.name)),
      secret: (role) => `podman:${podmanSecret(role)}`,
    },
    records: places.state,
    memoryMiB: program.memoryMiB,
    once: (argv, mounts = []) => runOnce({ ...program, mounts, secrets: {} }, argv),
    restore: (role) => `podman secret create --driver file ${podmanSecret(role)} FILE`,
  };
  return at;
}

function pathsBelow(config: string, programs: string, data: string): Omit<Paths, "secret"> {
  const below = (folder: string) => (name: string | undefined) => (name ? `${folder}/${name}` : folder);
  return { config: below(config), program: below(programs), data: below(data) };
}

function render(specs: readonly ServiceSpec[], host: HostContext): ReleaseParts {
  const services = specs.map((spec) => serviceOf(spec, host));
  const [first] = services;
  if (first === undefined) return {};
  const files = services.flatMap((service) => Object.keys(unitFiles(service, layoutOf(service)).checked));
  // One check of all files: systemd must see the units that other units name.
  const check = quadletCheck(first.spec.name, host.places, files);
  const { files: programs, validators } = check;
  return merged([...services.map(partsOf), { files: programs, validators }]);
}

function partsOf(service: Service): ReleaseParts {
  const { spec, program, host, secrets } = service;
  const at = layoutOf(service);
  const container = containerOf(service, at);
  const configured = [...(program.files ?? []), ...(spec.files ?? [])];
  const units = unitFiles(service, at);
  const file = (text: string) => publicFile(text, host.places);
  return {
    directories: directoriesOf(service, at, configured.length > 0),
    files: {
      ...mapped(programFilesOf(spec), (name, text) => [at.host.program(name), file(text)]),
      ...mapped({ ...units.checked, ...units.dropIns }, (path, text) => [path, file(text)]),
      ...Object.fromEntries(configured.map((one) => [at.host.config(one.name), file(one.text(at))] as const)),
    },
    images: [container.image],
    containerSecrets: mapped(secrets, (role, secret) => [podmanSecret(role), { source: secret.source(at) }]),
    tasks: { ...program.tasks?.(at) },
    units: unitsOf(service, at, container),
    ports: {
      ...portsOf(container.publish, `${container.name}.service`),
      ...portsOf(program.sockets ?? [], `${container.name}.socket`),
    },
    validators: {
      ...mapped({ ...spec.checks, ...program.checks }, (name, one) => [name, asked(one, container, at)]),
      ...program.validators?.(at),
    },
    health: healthOf(spec.health?.(at) ?? program.answers?.(at)),
  };
}

function containerOf({ spec, program, secrets }: Service, at: Layout): Container {
  const own = Object.entries(secrets).filter(([, { reader }]) => reader === "service");
  const { listens = [] } = spec;
  const { container: name, port, sockets = [], after = [] } = program;
  return {
    ...program,
    name,
    description: spec.description,
    command: program.command?.(at) ?? [],
    environment: program.environment ?? {},
    mounts: program.mounts(at),
    secrets: {
      ...Object.fromEntries(
        own.map(([role, { inside }]) => [inside ?? podmanSecret(role), podmanSecret(role)]),
      ),
      ...program.borrowed,
    },
    publish: port === undefined ? [] : published(listens).map((one) => ({ ...one, containerPort: port })),
    tmpfs: [],
    after: [...(sockets.length === 0 ? [] : [`${name}.socket`]), ...after],
    kind: spec.schedule === undefined ? "service" : "job",
  };
}

/** The containers' network has IPv4 only. */
function published(listeners: readonly Listener[]): Listener[] {
  return listeners.filter(({ address }) => !address.includes(":"));
}

/** Files of systemd and Quadlet by path: those that Podman's generator and systemd check, and drop-ins. */
function unitFiles(service: Service, at: Layout) {
  const { spec, program, host } = service;
  const { places } = host;
  const container = containerOf(service, at);
  const { name } = container;
  const { sockets = [], volumes = [] } = program;
  const checked: Record<string, string> = {
    [`${places.containers}/${name}.container`]: renderContainer(container),
    ...(program.bringsNetwork === true
      ? { [`${places.containers}/${NETWORK}.network`]: renderNetwork() }
      : {}),
    ...Object.fromEntries(
      volumes.map((volume) => [`${places.containers}/${volume}.volume`, renderVolume(volume)]),
    ),
    ...(sockets.length === 0
      ? {}
      : { [`${places.units}/${name}.socket`]: renderSocket(spec.description, sockets) }),
    ...(spec.schedule === undefined
      ? {}
      : {
          [`${places.units}/${name}.timer`]: renderTimer({
            name,
            description: spec.description,
            ...spec.schedule,
          }),
        }),
  };
  const dropIns = mapped(program.dropIns?.(at), (file, text) => [
    `${places.units}/${name}.service.d/${file}`,
    text,
  ]);
  return { checked, dropIns };
}

function directoriesOf({ program, host }: Service, at: Layout, configured: boolean) {
  const { places } = host;
  const folder = (path: string, mode: string) => ({ [path]: owned(places, mode) });
  const dropIns = `${places.units}/${program.container}.service.d`;
  return {
    ...folder(at.host.program(), "0755"),
    ...(configured ? folder(at.host.config(), "0755") : {}),
    ...mapped(program.data, (name, mode) => [at.host.data(name), owned(places, mode)]),
    ...(program.dropIns === undefined ? {} : folder(dropIns, "0755")),
  };
}

function unitsOf(service: Service, at: Layout, container: Container): Record<string, HostUnit> {
  const { spec, program, host } = service;
  const { name } = container;
  const running = (restartOn: string[], reloadOn: string[]): HostUnit => ({
    ...{ enabled: true, state: "running", restartOn, reloadOn },
  });
  if (spec.schedule !== undefined) {
    // Only the timer starts a job; a timer that restarts can start it immediately.
    const file = `${host.places.containers}/${name}.container`;
    const atOnce = spec.schedule.onChange === true ? [file] : [];
    return { [`${name}.timer`]: running([`${host.places.units}/${name}.timer`, ...atOnce], []) };
  }
  const files = [...(program.files ?? []), ...(spec.files ?? [])];
  const paths = (change: "restart" | "reload") =>
    changing(files, change).map((file) => at.host.config(file.name));
  const quadletFiles = Object.keys(unitFiles(service, at).checked).filter((path) =>
    path.startsWith(`${host.places.containers}/`),
  );
  const restartOn = [
    ...paths("restart"),
    ...quadletFiles,
    ...Object.values(container.secrets)
      .filter((secret) => !Object.values(program.borrowed ?? {}).includes(secret))
      .map((secret) => `container-secret:${secret}`),
    `image:${container.image}`,
    ...(spec.runs ?? []).map((file) => at.host.program(file)),
    ...(spec.follows?.restart ?? []),
  ];
  const reloadOn = [...paths("reload"), ...(spec.follows?.reload ?? [])];
  const along = program.along === undefined ? {} : { along: [...program.along] };
  return {
    ...(program.sockets === undefined ? {} : { [`${name}.socket`]: running([], []) }),
    [`${name}.service`]: { ...running(restartOn, reloadOn), ...along },
  };
}

function asked(check: ServiceCheck, container: Container, at: Layout): Validator {
  const config = { source: at.host.config(), target: at.inside.config(), readOnly: true };
  const seen = check.sees === "config" ? { ...container, mounts: [config], secrets: {} } : container;
  return { argv: runOnce(seen, check.argv(at)), timeoutSeconds: check.timeoutSeconds + START_SECONDS };
}
