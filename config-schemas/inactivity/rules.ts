import type { HomeserverConfig } from "../homeserver/schema";
import { parseDuration } from "../language/common";
import type { Path } from "../language/fault";
import { type AnyRule, at, rule } from "../language/rule";
import { nearest } from "../language/shape";
import type { RoomsConfig } from "../rooms/schema";
import type { InactivityConfig } from "./schema";

/** A shorter silence can be a holiday. */
const SHORTEST_WINDOW = "7d";

/** How long messages are kept, as written in the stack file; undefined: permanently. */
function kept({ retention }: HomeserverConfig): string | undefined {
  if (retention === undefined) return undefined;
  const { maxLifetime, allowedMax = maxLifetime } = retention;
  return parseDuration(allowedMax) < parseDuration(maxLifetime) ? allowedMax : maxLifetime;
}

function exceeds(window: string, limit: string | undefined): boolean {
  return limit !== undefined && parseDuration(window) > parseDuration(limit);
}

function keysOf(rooms: RoomsConfig): string[] {
  return [...Object.keys(rooms.spaces), ...Object.keys(rooms.rooms)];
}

function unknownRooms(inactivity: InactivityConfig | undefined, rooms: RoomsConfig): Path[] {
  if (inactivity === undefined || inactivity.rooms === "all") return [];
  const known = keysOf(rooms);
  return inactivity.rooms.flatMap((key, index): Path[] =>
    known.includes(key) ? [] : [["inactivity", "rooms", index]],
  );
}

function roomAt(inactivity: InactivityConfig | undefined, index: string | number | undefined): string {
  return String(inactivity?.rooms[Number(index)]);
}

/** Rules about the bot that finds inactive members. */
export const inactivityRules: readonly AnyRule[] = [
  rule({
    name: "silence can be proved for the whole window",
    needs: ["homeserver", "inactivity"],
    when: ({ homeserver, inactivity }) =>
      at(inactivity !== undefined && exceeds(inactivity.window, kept(homeserver)), "inactivity", "window"),
    message: ({ homeserver, inactivity }) =>
      `is ${inactivity?.window}, but messages are kept for ${kept(homeserver)} only: for a longer time silence cannot be proved`,
    fix: ({ homeserver }) =>
      `write \`window: ${kept(homeserver)}\` or less, or raise hearth:homeserver.retention.maxLifetime`,
  }),
  rule({
    name: "a holiday is not inactivity",
    needs: ["inactivity"],
    when: ({ inactivity }) =>
      at(inactivity !== undefined && exceeds(SHORTEST_WINDOW, inactivity.window), "inactivity", "window"),
    message: ({ inactivity }) =>
      `is ${inactivity?.window}, so short that a week of absence would count as inactivity`,
    fix: `write at least \`window: ${SHORTEST_WINDOW}\``,
  }),
  rule({
    name: "the bot watches rooms of the stack",
    needs: ["inactivity", "rooms"],
    when: ({ inactivity, rooms }) => unknownRooms(inactivity, rooms),
    message: ({ inactivity }, path) => `is ${roomAt(inactivity, path[2])}, which is not under hearth:rooms`,
    fix: ({ inactivity, rooms }, path) => {
      const meant = nearest(roomAt(inactivity, path[2]), keysOf(rooms));
      return meant
        ? `did you mean ${meant}?`
        : `choose from: ${keysOf(rooms).join(", ") || "(none there yet)"}`;
    },
  }),
];
