import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { MAINTENANCE_ACCOUNT, type MaintenanceConfig } from "../../config-schemas/maintenance/schema";
import type { HostFile } from "../../provider/sdk";
import { containerFile, type JobParts, jobFiles, jobUnits, type Site, timerFile } from "../../runtimes/job";
import { publicFile } from "../../runtimes/ownership";
import { owned, type Places } from "../../runtimes/places";
import { hostPrograms } from "../../runtimes/programs";
import { quadletCheck } from "../../runtimes/quadlet/podman";
import { CLEANING, maintenanceJobs } from "./jobs";

/** Name of component, release and folders. */
export const SERVICE = "maintenance";

/** What the Release puts on the host. */
export function maintenanceParts(
  config: MaintenanceConfig,
  homeserver: HomeserverConfig,
  mediaPath: string,
  site: Site,
): JobParts {
  const { places, image } = site;
  const jobs = maintenanceJobs(config, homeserver, mediaPath);
  const around = { ...site, service: SERVICE, account: MAINTENANCE_ACCOUNT };
  const dropIn = diskUseFile(places);
  const files = jobs.flatMap((job) => [containerFile(job, places), timerFile(job, places)]);
  const check = quadletCheck(SERVICE, places, files);
  return {
    directories: {
      [places.programs(SERVICE)]: owned(places, "0755"),
      [places.data(SERVICE)]: owned(places, "0700"),
      [dropIn.replace(/\/[^/]*$/, "")]: owned(places, "0755"),
    },
    files: {
      ...hostPrograms(SERVICE, places),
      ...check.files,
      ...jobFiles(jobs, around),
      [dropIn]: diskUse(mediaPath, places),
    },
    images: [image],
    units: jobUnits(jobs, places),
    validators: check.validators,
  };
}

function diskUseFile(places: Places): string {
  return `${places.units}/${CLEANING}.service.d/50-disk-use.conf`;
}

/** Before and after the cleaning its log says what is used: counted by the host, because the job sees no database. */
function diskUse(mediaPath: string, places: Places): HostFile {
  const data = places.data(SERVICE);
  const count = (when: string) =>
    [
      "/bin/sh",
      `${places.programs(SERVICE)}/disk_use.sh`,
      when,
      `${data}/log`,
      mediaPath,
      places.data("postgres"),
    ]
      .map((word) => word.replaceAll("%", "%%"))
      .join(" ");
  const lines = ["[Service]", `ExecStartPre=${count("before")}`, `ExecStopPost=${count("after")}`];
  return publicFile(
    `# Written by Hearth: disk use before and after the cleaning.\n${lines.join("\n")}\n`,
    places,
  );
}
