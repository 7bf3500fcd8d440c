import type { ContainerSecret, HealthProbe, HostSecret, Inputs, ReleaseInputs } from "../provider/sdk";
import type { Layout } from "./layout";
import type { Places } from "./places";
import type { ServiceFile, ServiceSpec } from "./service";

/** The maps of a Release that a service can fill. Absent maps are empty. */
export type ReleaseParts = Partial<
  Pick<
    ReleaseInputs,
    | "packages"
    | "repositories"
    | "users"
    | "directories"
    | "files"
    | "images"
    | "environments"
    | "tasks"
    | "units"
    | "ports"
    | "preflights"
    | "validators"
    | "health"
    | "publishes"
  >
> & {
  secrets?: Record<string, Inputs<HostSecret>>;
  containerSecrets?: Record<string, Inputs<ContainerSecret>>;
};

/** What a runtime must know about a host. */
export interface HostContext {
  places: Places;
  memoryMiB: number;
}

/** Renders services for one kind of host, as plain values: it changes nothing itself. */
export interface Runtime {
  /** Paths of a service on its host. */
  layout(spec: ServiceSpec, host: HostContext): Layout;
  /** The contents of a Release for one service, or for several jobs of one component. */
  render(specs: readonly ServiceSpec[], host: HostContext): ReleaseParts;
}

/** The contents of several services in one Release. */
export function merged(parts: readonly ReleaseParts[]): ReleaseParts {
  const { images, ...maps } = Object.assign({}, ...parts) as ReleaseParts;
  const all = (name: string) => parts.map((one) => one[name as keyof ReleaseParts] ?? {});
  return {
    ...Object.fromEntries(Object.keys(maps).map((name) => [name, Object.assign({}, ...all(name))])),
    ...(images === undefined ? {} : { images: [...new Set(parts.flatMap((one) => one.images ?? []))] }),
  };
}

/** The `health` of a release, with at most one probe. */
export function healthOf(probe: HealthProbe | undefined): Record<string, HealthProbe> {
  return probe === undefined ? {} : { answers: probe };
}

/** The files whose change needs `change`. */
export function changing(files: readonly ServiceFile[], change: ServiceFile["change"]): ServiceFile[] {
  return files.filter((file) => file.change === change);
}

/** A map with new keys and values. */
export function mapped<T, U>(
  map: Readonly<Record<string, T>> | undefined,
  to: (key: string, value: T) => readonly [string, U],
): Record<string, U> {
  return Object.fromEntries(Object.entries(map ?? {}).map(([key, value]) => to(key, value)));
}
