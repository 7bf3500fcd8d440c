import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { MAINTENANCE_ACCOUNT, type MaintenanceConfig } from "../../config-schemas/maintenance/schema";
import { type JobHost, jobSpec } from "../../runtimes/job";
import type { ServiceSpec } from "../../runtimes/service";
import { maintenanceJobs } from "./jobs";

/** Name of component, release and folders. */
export const SERVICE = "maintenance";

/** The maintenance jobs of a homeserver with this media store. */
export function maintenanceSpecs(
  config: MaintenanceConfig,
  homeserver: HomeserverConfig,
  disk: { media: string; database: string },
  host: JobHost,
): ServiceSpec[] {
  const site = { ...host, service: SERVICE, account: MAINTENANCE_ACCOUNT };
  return maintenanceJobs(config, homeserver, disk).map((job) => jobSpec(job, site));
}
