import type * as pulumi from "@pulumi/pulumi";
import { type Connection, type Inputs, Release, type ReleaseArgs } from "../provider/sdk";
import type { Places } from "./places";
import type { ReleaseParts } from "./runtime";

/** The host of a release. */
interface ReleaseHost {
  connection: Inputs<Connection>;
  places: pulumi.Output<Places>;
}

/** Inputs that a service fills; `true`: a list, not a map. */
const MAPS: Record<keyof ReleaseParts, boolean> = {
  ...{ packages: false, repositories: false, users: false, directories: false, files: false, secrets: false },
  ...{ images: true, containerSecrets: false, environments: false, tasks: false, units: false, ports: false },
  ...{ preflights: false, validators: false, health: false, publishes: false },
};

/** Keys of the secrets that are created on the host; the operator has the other ones. */
export function madeSecrets(parts: ReleaseParts): string[] {
  const all = Object.entries({ ...parts.secrets, ...parts.containerSecrets });
  return all.filter(([, { source }]) => "kind" in source && source.kind !== "given").map(([key]) => key);
}

/**
 * Creates the release of one component.
 * @param release the name of the release on the host
 * @param more inputs that do not come from a runtime
 */
export function serviceRelease(
  name: string,
  release: string,
  { connection, places }: ReleaseHost,
  parts: pulumi.Output<ReleaseParts>,
  opts: pulumi.CustomResourceOptions,
  more: Pick<ReleaseArgs, "identity" | "revisions" | "confirm"> = {},
): Release {
  const maps = Object.fromEntries(
    Object.entries(MAPS).map(([map, isList]) => [
      map,
      parts.apply((made) => made[map as keyof ReleaseParts] ?? (isList ? [] : {})),
    ]),
  ) as Partial<ReleaseArgs>;
  return new Release(name, { connection, scope: places.scope, release, ...more, ...maps }, opts);
}
