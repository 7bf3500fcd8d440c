import { INACTIVITY_ACCOUNT, type InactivityConfig } from "../../config-schemas/inactivity/schema";
import { type JobHost, jobSpec } from "../../runtimes/job";
import { programText } from "../../runtimes/programs";
import type { ServiceSpec } from "../../runtimes/service";
import type { ServiceMember } from "../rooms";
import { inactivityJob, LIFETIMES_FILE, type Sections, watchedKeys } from "./job";

/** Name of component, release and folders. */
export const SERVICE = "inactivity";

/** The bot's power in each watched room: exactly the power that removing a member needs there. */
export function botMembers(config: InactivityConfig, sections: Sections): ServiceMember[] {
  const { homeserver, rooms } = sections;
  const userId = `@${INACTIVITY_ACCOUNT}:${homeserver.serverName}`;
  const watched = watchedKeys(config, sections);
  return Object.entries({ ...rooms.spaces, ...rooms.rooms })
    .filter(([key]) => watched.includes(key))
    .map(([key, { powerLevels }]) => ({ userId, power: powerLevels.kick, rooms: [key] }));
}

/** The bot's job, with the programs that it shares with maintenance. */
export function inactivitySpec(config: InactivityConfig, sections: Sections, host: JobHost): ServiceSpec {
  const shared = ["session.py", "lifetimes.py"].map((name) => [name, programText("maintenance", name)]);
  const programFiles = { ...Object.fromEntries(shared), [LIFETIMES_FILE]: lifetimesFile(sections) };
  const site = { ...host, service: SERVICE, account: INACTIVITY_ACCOUNT, programFiles };
  return jobSpec(inactivityJob(config, sections), site);
}

/** Contains only the lifetimes of messages, so that no other change rewrites the file. */
function lifetimesFile({ homeserver: { retention } }: Sections): string {
  const { maxLifetime = null, allowedMin = null, allowedMax = null } = retention ?? {};
  return `${JSON.stringify({ maxLifetime, allowedMin, allowedMax })}\n`;
}
