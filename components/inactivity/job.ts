import type { InactivityConfig } from "../../config-schemas/inactivity/schema";
import { parseDuration } from "../../config-schemas/language/common";
import type { StackConfig } from "../../config-schemas/stack";
import { type Job, programPath } from "../../runtimes/job";
import { retentionOptions } from "../maintenance/jobs";

const HOUR = 3600;

/** The sections of the stack file that decide what the bot does. */
export type Sections = Pick<StackConfig, "homeserver" | "accounts" | "rooms">;

/** This file is written again only when the lifetimes of messages change, so its time says since when they apply. */
export const LIFETIMES_FILE = "lifetimes.json";

/** Keys of the Spaces and rooms that the bot watches. */
export function watchedKeys({ rooms }: InactivityConfig, sections: Sections): string[] {
  if (rooms !== "all") return rooms;
  return [...Object.keys(sections.rooms.spaces), ...Object.keys(sections.rooms.rooms)];
}

/** The bot's job for these settings. */
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

/** Users who are never removed. The stack's admins are among them: they maintain the server even if they write nothing. */
function exempt(config: InactivityConfig, { homeserver, accounts }: Sections): string[] {
  const admins = Object.entries(accounts).filter(([, { admin }]) => admin);
  return [...new Set([...config.exempt, ...admins.map(([name]) => `@${name}:${homeserver.serverName}`)])];
}
