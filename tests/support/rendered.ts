import { jobHost } from "../../components/homeserver/image";
import { homeserverSpec } from "../../components/homeserver/spec";
import {
  type HomeserverConfig,
  homeserverImage,
  homeserverSchema,
} from "../../config-schemas/homeserver/schema";
import type { ReleaseInputs } from "../../provider/contract/release";
import type { JobHost } from "../../runtimes/job";
import type { Layout } from "../../runtimes/layout";
import { native } from "../../runtimes/native";
import { type Places, SYSTEM_PLACES } from "../../runtimes/places";
import { quadlet } from "../../runtimes/quadlet";
import type { ServiceSpec } from "../../runtimes/service";
import { DEBIAN_13 } from "./program";

/** The inputs of a service's release; in tests the operator's secrets are plain texts. */
export type Rendered = Omit<ReleaseInputs, "connection" | "scope" | "release">;

/** A release that does nothing. */
export const NOTHING: Rendered = {
  ...{ identity: {}, packages: {}, repositories: {}, users: {}, directories: {}, files: {} },
  ...{ secrets: {}, images: [], containerSecrets: {}, environments: {}, tasks: {}, units: {}, ports: {} },
  ...{ preflights: {}, revisions: {}, validators: {}, health: {} },
  publishes: {},
};

/** The common parts for the containers of a user with these paths. */
export function inContainers(places: Places, ...specs: ServiceSpec[]): Rendered {
  return { ...NOTHING, ...(quadlet.render(specs, { places, memoryMiB: DEBIAN_13.memoryMiB }) as Rendered) };
}

const DATABASE = {
  ...{ database: "synapse", role: "matrix-synapse", host: "/run/postgresql", pool: { min: 5, max: 10 } },
  ...{ unit: "postgresql@17-main.service", console: ["psql"] },
};

/** The homeserver of these settings, without the operator's secrets. */
function serverOf(config: HomeserverConfig): ServiceSpec {
  return homeserverSpec({ config, database: DATABASE, secrets: {} }, DEBIAN_13);
}

/** The paths of a native homeserver. */
export function nativeLayout(config: HomeserverConfig): Layout {
  return native.layout(serverOf(config), { places: SYSTEM_PLACES, memoryMiB: DEBIAN_13.memoryMiB });
}

/** The paths of a homeserver in a container. */
export function containerLayout(places: Places, config: HomeserverConfig = homeServer()): Layout {
  return quadlet.layout(serverOf(config), { places, memoryMiB: DEBIAN_13.memoryMiB });
}

function homeServer(image?: string): HomeserverConfig {
  const server = { host: "home", serverName: "home.test", publicHost: "home.test", version: "1.163.2" };
  return homeserverSchema.parse({ ...server, ...(image === undefined ? {} : { image }) });
}

/** The environment of jobs of a stack in a home: next to Synapse 1.163.2 in the vendor's image, or in `image`. */
export function jobHostOf(places: Places, image?: string): JobHost {
  const config = homeServer(image);
  return jobHost(homeserverImage(config), containerLayout(places, config));
}
