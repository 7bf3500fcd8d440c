import { INACTIVITY_ACCOUNT, type InactivityConfig } from "../../config-schemas/inactivity/schema";
import type { HostFile } from "../../provider/sdk";
import { containerFile, type JobParts, jobFiles, jobUnits, type Site, timerFile } from "../../runtimes/job";
import { publicFile } from "../../runtimes/ownership";
import { owned, type Places } from "../../runtimes/places";
import { hostPrograms, programsOf } from "../../runtimes/programs";
import { quadletCheck } from "../../runtimes/quadlet/podman";
import type { ServiceMember } from "../rooms";
import { inactivityJob, LIFETIMES_FILE, type Sections, watchedKeys } from "./job";

/** Name of component, release and folders. */
export const SERVICE = "inactivity";

/** In each watched room exactly the power that removing takes there. */
export function botMembers(config: InactivityConfig, sections: Sections): ServiceMember[] {
  const { homeserver, rooms } = sections;
  const userId = `@${INACTIVITY_ACCOUNT}:${homeserver.serverName}`;
  const watched = watchedKeys(config, sections);
  return Object.entries({ ...rooms.spaces, ...rooms.rooms })
    .filter(([key]) => watched.includes(key))
    .map(([key, { powerLevels }]) => ({ userId, power: powerLevels.kick, rooms: [key] }));
}

/** The lifetimes of messages and nothing else, so that nothing else makes it another file. */
function lifetimesFile({ homeserver: { retention } }: Sections, places: Places): HostFile {
  const { maxLifetime = null, allowedMin = null, allowedMax = null } = retention ?? {};
  return publicFile(`${JSON.stringify({ maxLifetime, allowedMin, allowedMax })}\n`, places);
}

/** What the Release puts on the host. */
export function inactivityParts(config: InactivityConfig, sections: Sections, site: Site): JobParts {
  const { places, image } = site;
  const job = inactivityJob(config, sections);
  const around = { ...site, service: SERVICE, account: INACTIVITY_ACCOUNT };
  const check = quadletCheck(SERVICE, places, [containerFile(job, places), timerFile(job, places)]);
  return {
    directories: {
      [places.programs(SERVICE)]: owned(places, "0755"),
      [places.data(SERVICE)]: owned(places, "0700"),
    },
    files: {
      ...hostPrograms(SERVICE, places),
      ...programsOf("maintenance", ["session.py", "lifetimes.py"], SERVICE, places),
      [`${places.programs(SERVICE)}/${LIFETIMES_FILE}`]: lifetimesFile(sections, places),
      ...check.files,
      ...jobFiles([job], around),
    },
    images: [image],
    units: jobUnits([job], places),
    validators: check.validators,
  };
}
