import type { InactivityConfig } from "../../config-schemas/inactivity/schema";
import { parseDuration } from "../../config-schemas/language/common";
import type { StackConfig } from "../../config-schemas/stack";
import { type Job, programPath } from "../../runtimes/job";
import { retentionOptions } from "../maintenance/jobs";

const HOUR = 3600;

/** The sections of the stack file that decide what the bot does. */
export type Sections = Pick<StackConfig, "homeserver" | "accounts" | "rooms">;

/** Written anew when the lifetimes of messages change, and only then: its time tells since when they hold. */
export const LIFETIMES_FILE = "lifetimes.json";

/** Keys of the Spaces and rooms that the bot watches. */
export function watchedKeys({ rooms }: InactivityConfig, sections: Sections): string[] {
  if (rooms !== "all") return rooms;
  return [...Object.keys(sections.rooms.spaces), ...Object.keys(sections.rooms.rooms)];
}

/** The run of the bot for these settings. */
export function inactivityJob(config: InactivityConfig, sections: Sections): Job {
  const window = parseDuration(config.window);
  return {
    name: "hearth-inactivity",
    description: "Find members that were not seen for long",
    program: "inactivity.py",
    settings: [
      ...["--window", String(window), ...retentionOptions(sections.homeserver.retention)],
      ...["--kept-since", programPath(LIFETIMES_FILE)],
      ...watchedKeys(config, sections).flatMap((key) => ["--room", key]),
      ...exempt(config, sections).flatMap((user) => ["--exempt", user]),
      ...["--max-removals", String(config.maxRemovals)],
      ...(config.dryRun ? [] : ["--remove"]),
    ],
    mounts: [],
    when: { calendar: config.schedule },
    randomDelaySeconds: HOUR / 2,
    runSeconds: 6 * HOUR,
  };
}

/** Who is never removed; the stack's admins among them, who look after the server even if they say nothing. */
function exempt(config: InactivityConfig, { homeserver, accounts }: Sections): string[] {
  const admins = Object.entries(accounts).filter(([, { admin }]) => admin);
  return [...new Set([...config.exempt, ...admins.map(([name]) => `@${name}:${homeserver.serverName}`)])];
}
