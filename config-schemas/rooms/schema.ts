import { z } from "zod";
import { line, localFile, localpart, PORT } from "../language/common";

/** The permanent key of a Space or room: another key means another room. */
const roomKey = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,40}$/,
    "a key of at most 41 lower-case letters, digits and -, starting with a letter, e.g. family",
  )
  .meta({ title: "key of a room" });

/** A member of a room: a local part of `hearth:accounts`, or a whole user ID of this or another server. */
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

/** Power levels; `eventsDefault` is the level for messages (in a Space: for any event). */
function powerLevelsSchema(eventsDefault: number) {
  return z.strictObject({
    users: z
      .record(memberName, level.meta({ description: "This member's power level.", examples: [100] }))
      .default({})
      .meta({
        description:
          "Members with a power level other than `usersDefault`: 100 for admins, 50 for moderators.",
      }),
    usersDefault: level.default(0).meta({ description: "Power level of all other members." }),
    invite: level.default(50).meta({ description: "Power level needed to invite." }),
    kick: level.default(50).meta({ description: "Power level needed to remove a member." }),
    ban: level.default(50).meta({ description: "Power level needed to ban a member." }),
    redact: level.default(50).meta({ description: "Power level needed to remove other members' messages." }),
    stateDefault: level
      .default(50)
      .meta({ description: "Power level needed to change the name, the topic and similar settings." }),
    eventsDefault: level.default(eventsDefault).meta({ description: "Power level needed to send messages." }),
  });
}

const historyVisibility = z.enum(["shared", "invited", "joined"]);

/** The types of pictures by the endings of their files. */
const PICTURES = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
} as const;

const PICTURE_NAMES = "a picture whose name ends in .png, .jpg, .jpeg, .gif or .webp (in lower case)";

/** A picture on the operator's own machine, with the type in its name. */
export interface Picture {
  file: string;
  type: (typeof PICTURES)[keyof typeof PICTURES];
}

// The pattern and what describes it are for the JSON Schema of stack files; only the lookup finds the type.
const pictureFile = localFile
  .regex(/\.(png|jpe?g|gif|webp)$/, PICTURE_NAMES)
  .meta({
    description: "Its picture, a file on your machine. Absent: its members decide.",
    examples: ["./home.png"],
  })
  .transform((file, context): Picture => {
    const [, type] = Object.entries(PICTURES).find(([ending]) => file.endsWith(`.${ending}`)) ?? [];
    if (type !== undefined) return { file, type };
    context.addIssue({ code: "invalid_format", format: "regex", message: PICTURE_NAMES });
    return z.NEVER;
  });

/** Keys that Spaces and rooms share. */
const common = {
  name: line.max(255, "at most 255 characters").meta({ description: "Its name.", examples: ["Home"] }),
  topic: z
    .string()
    .min(1, "text")
    .max(1000, "at most 1000 characters")
    .optional()
    .meta({ description: "Its topic. Absent: its members decide.", examples: ["Only us"] }),
  members: z
    .array(memberName.meta({ description: "A local account or a user ID." }))
    .default([])
    .meta({
      description:
        "Its members: Hearth joins local accounts and invites others, once. Users who left, declined or were removed are not invited again, and users who are not listed here are not removed.",
      examples: [["alice", "@bob:example.net"]],
    }),
  alias: localpart.optional().meta({
    description: "Local part of its alias (`#home:example.org`). Absent: its members decide.",
    examples: ["home"],
  }),
  avatar: pictureFile.optional(),
  roomVersion: z.enum(["10", "11", "12"]).optional().meta({
    description: "Room version; fixed when the room is created. Absent: Synapse's default.",
  }),
  federate: z.boolean().default(true).meta({
    description: "Whether users of other servers can ever join; fixed when the room is created.",
  }),
};

/** A Space: a group of rooms and members. */
const spaceSchema = z.strictObject({
  ...common,
  joinRule: z.enum(["invite", "knock", "public"]).default("invite").meta({
    description:
      "Who may join: invited users (`invite`), also users who ask (`knock`), or anybody (`public`).",
  }),
  historyVisibility: historyVisibility.default("shared").meta({
    description:
      "Which earlier events members see: all, those since their invitation, or those since they joined.",
  }),
  powerLevels: powerLevelsSchema(100).prefault({}).meta({ description: "The power levels in it." }),
});

/** A room. */
const roomSchema = z.strictObject({
  ...common,
  space: roomKey
    .optional()
    .meta({ description: "Key of the Space that contains it. Absent: none.", examples: ["home"] }),
  suggested: z
    .boolean()
    .default(true)
    .meta({ description: "Whether clients suggest it to members of its Space." }),
  order: z
    .string()
    .regex(/^[\x20-\x7e]{1,50}$/, "1 to 50 visible ASCII characters or spaces")
    .optional()
    .meta({
      description: "Position in its Space: rooms are sorted by this text. Absent: at the end.",
      examples: ["a"],
    }),
  joinRule: z.enum(["invite", "restricted", "knock", "public"]).optional().meta({
    description:
      "Who may join: invited users (`invite`), members of its Space (`restricted`), also users who ask (`knock`), or anybody (`public`). Absent: `restricted` in a Space, else `invite`.",
  }),
  encrypted: z.boolean().default(true).meta({
    description: "End-to-end encryption; it cannot be switched off later.",
  }),
  historyVisibility: historyVisibility.optional().meta({
    description:
      "Which earlier events members see: all, those since their invitation, or those since they joined. Absent: `invited` with encryption, else `shared`.",
  }),
  powerLevels: powerLevelsSchema(0).prefault({}).meta({ description: "The power levels in it." }),
});

/** The Spaces and rooms that this stack manages. */
export const roomsSchema = z
  .strictObject({
    spaces: z.record(roomKey, spaceSchema).prefault({}).meta({ description: "Spaces by their keys." }),
    rooms: z.record(roomKey, roomSchema).prefault({}).meta({ description: "Rooms by their keys." }),
  })
  .meta({
    description:
      "Spaces and rooms that this stack manages. If you remove one from the stack file, it stays unchanged on the homeserver.",
  });

export type RoomsConfig = z.output<typeof roomsSchema>;
export type SpaceConfig = z.output<typeof spaceSchema>;
export type RoomConfig = z.output<typeof roomSchema>;

/** Who may join a room. */
export function joinRuleOf(room: RoomConfig): NonNullable<RoomConfig["joinRule"]> {
  return room.joinRule ?? (room.space === undefined ? "invite" : "restricted");
}

/** Which earlier events members of a room see. Members who join later cannot read encrypted events, so those are not shown either. */
export function historyVisibilityOf(room: RoomConfig): NonNullable<RoomConfig["historyVisibility"]> {
  return room.historyVisibility ?? (room.encrypted ? "invited" : "shared");
}

/** A member's whole user ID. */
export function memberId(member: string, serverName: string): string {
  return member.startsWith("@") ? member : `@${member}:${serverName}`;
}
