import { z } from "zod";
import { line, localFile, localpart, PORT } from "../language/common";

/** By what a Space or room is known, for good: another key is another room. */
const roomKey = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,40}$/,
    "a key of at most 41 lower-case letters, digits and -, starting with a letter, e.g. family",
  )
  .meta({ title: "key of a room" });

/** Somebody in a room: a local part of `hearth:accounts`, or a whole user ID of this or another server. */
const memberName = z
  .string()
  .regex(
    new RegExp(
      String.raw`^(?:(?!\d+$)[a-z0-9][a-z0-9._=+-]{0,200}|@[^:\s]+:(?:[a-z0-9-]+\.)+[a-z0-9-]+(?:${PORT})?)$`,
    ),
    "the local part of an account of this stack, e.g. alice, or a whole user ID with its server's DNS name in lower case, e.g. @bob:example.net",
  )
  .meta({ title: "member" });

const level = z.int().min(0).max(100);

/** Power levels; sending messages (in a Space: whatever there may be) needs `eventsDefault`. */
function powerLevelsSchema(eventsDefault: number) {
  return z.strictObject({
    users: z
      .record(memberName, level.meta({ description: "This member's power.", examples: [100] }))
      .default({})
      .meta({
        description: "Members with another power than `usersDefault`, 100 for admins, 50 for moderators.",
      }),
    usersDefault: level.default(0).meta({ description: "Power of everybody else." }),
    invite: level.default(50).meta({ description: "Power needed to invite." }),
    kick: level.default(50).meta({ description: "Power needed to remove a member." }),
    ban: level.default(50).meta({ description: "Power needed to ban a member." }),
    redact: level.default(50).meta({ description: "Power needed to remove messages of others." }),
    stateDefault: level.default(50).meta({ description: "Power needed to change name, topic and the like." }),
    eventsDefault: level.default(eventsDefault).meta({ description: "Power needed to send messages." }),
  });
}

const historyVisibility = z.enum(["shared", "invited", "joined"]);

/** What Spaces and rooms have in common. */
const common = {
  name: line.max(255, "at most 255 characters").meta({ description: "Its name.", examples: ["Home"] }),
  topic: z
    .string()
    .min(1, "a text")
    .max(1000, "at most 1000 characters")
    .optional()
    .meta({ description: "What it is about. Absent: left to its people.", examples: ["Only us"] }),
  members: z
    .array(memberName.meta({ description: "A local account or a user ID." }))
    .default([])
    .meta({
      description:
        "Who belongs in it: local accounts are joined, others invited, once. Who left, declined or was removed is not asked again, and nobody is removed for not standing here.",
      examples: [["alice", "@bob:example.net"]],
    }),
  alias: localpart.optional().meta({
    description: "Local part of its alias (`#home:example.org`). Absent: left to its people.",
    examples: ["home"],
  }),
  avatar: localFile
    .regex(
      /\.(png|jpe?g|gif|webp)$/,
      "a picture whose name ends in .png, .jpg, .jpeg, .gif or .webp (in lower case)",
    )
    .optional()
    .meta({
      description: "Its picture, a file on this machine. Absent: left to its people.",
      examples: ["./home.png"],
    }),
  roomVersion: z.enum(["10", "11", "12"]).optional().meta({
    description: "Room version, settled when it is made. Absent: what Synapse takes by itself.",
  }),
  federate: z.boolean().default(true).meta({
    description: "Whether people of other servers may ever join, settled when it is made.",
  }),
};

/** A Space: rooms and people that belong together. */
const spaceSchema = z.strictObject({
  ...common,
  joinRule: z
    .enum(["invite", "knock", "public"])
    .default("invite")
    .meta({ description: "Who may join: the invited, those let in after knocking, or anybody." }),
  historyVisibility: historyVisibility
    .default("shared")
    .meta({ description: "What members see of its past: all, since their invitation, since they joined." }),
  powerLevels: powerLevelsSchema(100).prefault({}).meta({ description: "Who may do what in it." }),
});

/** A room. */
const roomSchema = z.strictObject({
  ...common,
  space: roomKey
    .optional()
    .meta({ description: "Key of the Space that it belongs to. Absent: none.", examples: ["home"] }),
  suggested: z
    .boolean()
    .default(true)
    .meta({ description: "Clients show it to those who look at its Space." }),
  order: z
    .string()
    .regex(/^[\x20-\x7e]{1,50}$/, "1 to 50 visible ASCII characters or blanks")
    .optional()
    .meta({
      description: "Where it stands in its Space: sorted by this text. Absent: at the end.",
      examples: ["a"],
    }),
  joinRule: z.enum(["invite", "restricted", "knock", "public"]).optional().meta({
    description:
      "Who may join: the invited, members of its Space, those let in after knocking, or anybody. Absent: `restricted` in a Space, else `invite`.",
  }),
  encrypted: z.boolean().default(true).meta({
    description: "End-to-end encryption; once on it can never be off.",
  }),
  historyVisibility: historyVisibility.optional().meta({
    description:
      "What members see of its past: all, since their invitation, since they joined. Absent: `invited` with encryption, else `shared`.",
  }),
  powerLevels: powerLevelsSchema(0).prefault({}).meta({ description: "Who may do what in it." }),
});

/** The Spaces and rooms that this stack keeps. */
export const roomsSchema = z
  .strictObject({
    spaces: z.record(roomKey, spaceSchema).default({}).meta({ description: "Spaces by their keys." }),
    rooms: z.record(roomKey, roomSchema).default({}).meta({ description: "Rooms by their keys." }),
  })
  .meta({
    description:
      "Spaces and rooms that this stack keeps. One that leaves the stack file stays on the homeserver as it is.",
  });

export type RoomsConfig = z.output<typeof roomsSchema>;
export type SpaceConfig = z.output<typeof spaceSchema>;
export type RoomConfig = z.output<typeof roomSchema>;

/** Who may join a room. */
export function joinRuleOf(room: RoomConfig): NonNullable<RoomConfig["joinRule"]> {
  return room.joinRule ?? (room.space === undefined ? "invite" : "restricted");
}

/** What members see of a room's past. What is encrypted cannot be read by those who come later, so it is not shown either. */
export function historyVisibilityOf(room: RoomConfig): NonNullable<RoomConfig["historyVisibility"]> {
  return room.historyVisibility ?? (room.encrypted ? "invited" : "shared");
}

/** A member's whole user ID. */
export function memberId(member: string, serverName: string): string {
  return member.startsWith("@") ? member : `@${member}:${serverName}`;
}
