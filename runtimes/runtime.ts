import type { ContainerSecret, HealthProbe, HostSecret, Inputs, ReleaseInputs } from "../provider/sdk";
import type { Layout } from "./layout";
import type { Places } from "./places";
import type { ServiceFile, ServiceSpec } from "./service";

/** The maps of a Release that a service can fill. What is left out is empty. */
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
  >
> & {
  secrets?: Record<string, Inputs<HostSecret>>;
  containerSecrets?: Record<string, Inputs<ContainerSecret>>;
};

/** The host as a runtime has to know it. */
export interface HostContext {
  places: Places;
  memoryMiB: number;
}

/** One way in which a host runs services. Pure. */
export interface Runtime {
  /** Where the things of a service are. */
  layout(spec: ServiceSpec, host: HostContext): Layout;
  /** What a Release has to put on the host, for one service or for several jobs of one component. */
  render(specs: readonly ServiceSpec[], host: HostContext): ReleaseParts;
}

/** What several services of one Release put on the host together. */
export function merged(parts: readonly ReleaseParts[]): ReleaseParts {
  const { images, ...maps } = Object.assign({}, ...parts) as ReleaseParts;
  const all = (name: string) => parts.map((one) => one[name as keyof ReleaseParts] ?? {});
  return {
    ...Object.fromEntries(Object.keys(maps).map((name) => [name, Object.assign({}, ...all(name))])),
    ...(images === undefined ? {} : { images: [...new Set(parts.flatMap((one) => one.images ?? []))] }),
  };
}

/** A release's `health`, of at most one probe. */
export function healthOf(probe: HealthProbe | undefined): Record<string, HealthProbe> {
  return probe === undefined ? {} : { answers: probe };
}

/** The named files that a change of `change` concerns. */
export function changing(files: readonly ServiceFile[], change: ServiceFile["change"]): ServiceFile[] {
  return files.filter((file) => file.change === change);
}

/** Entries of a map with other keys and values. */
export function mapped<T, U>(
  map: Readonly<Record<string, T>> | undefined,
  to: (key: string, value: T) => readonly [string, U],
): Record<string, U> {
  return Object.fromEntries(Object.entries(map ?? {}).map(([key, value]) => to(key, value)));
}
