import { INACTIVITY_ACCOUNT, type InactivityConfig } from "../../config-schemas/inactivity";
import {
  containerFile,
  type JobParts,
  jobFiles,
  jobUnits,
  type Site,
  sharedModules,
  timerFile,
} from "../job";
import { owned } from "../places";
import { quadletCheck } from "../podman";
import { hostPrograms } from "../programs";
import type { ServiceMember } from "../rooms";
import { inactivityJob, type Sections } from "./job";

/** Name of component, release and folders. */
export const SERVICE = "inactivity";

/** In each watched room exactly the power that removing takes there. */
export function botMembers(
  { rooms: watched }: InactivityConfig,
  { homeserver, rooms }: Sections,
): ServiceMember[] {
  const userId = `@${INACTIVITY_ACCOUNT}:${homeserver.serverName}`;
  return Object.entries({ ...rooms.spaces, ...rooms.rooms })
    .filter(([key]) => watched === "all" || watched.includes(key))
    .map(([key, { powerLevels }]) => ({ userId, power: powerLevels.kick, rooms: [key] }));
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
      ...sharedModules(["session.py", "lifetimes.py"], SERVICE, places),
      ...check.files,
      ...jobFiles([job], around),
    },
    images: [image],
    units: jobUnits([job], places),
    validators: check.validators,
  };
}
