import type { JoinRule, PowerLevels, RoomAvatar, RoomInputs, SpaceParent } from "../../contract/matrix";
import { flag, integer, list, object, oneOf, optional, record, type Shape, text } from "../../protocol/shape";
import { accessMembers } from "../access";

/** A Space is kept like a room that is never encrypted. */
export type Kept = RoomInputs;

const roomId = text({ pattern: /^!\S{1,254}$/, write: "a room ID" });
const userId = text({ pattern: /^@[^:\s]+:\S{1,230}$/, write: "a user ID, e.g. @alice:example.org" });
/** What JSON numbers of a room's state may be; people could have put any level there by hand. */
const level = integer(-(2 ** 53) + 1, 2 ** 53 - 1);

const powerLevels = object<PowerLevels>({
  users: record(userId, level),
  ...{ usersDefault: level, invite: level, kick: level, ban: level, redact: level },
  ...{ stateDefault: level, eventsDefault: level },
});

const avatar = object<RoomAvatar>({
  file: text({ pattern: /^\//, write: "an absolute path on this machine" }),
  // Empty in a state that Read found: a picture that is not ours.
  digest: text({ pattern: /^([0-9a-f]{64})?$/, write: "a SHA-256 digest" }),
  type: oneOf("image/png", "image/jpeg", "image/gif", "image/webp"),
});

const parent = object<SpaceParent>({
  ...{ roomId, suggested: flag },
  order: optional(text({ pattern: /^[\x20-\x7e]{1,50}$/, write: "at most 50 ASCII characters" })),
});

const fixed = {
  ...accessMembers,
  key: text({ pattern: /^[a-z][a-z0-9-]{0,40}$/, write: "a key of lower-case letters, digits and -" }),
  powerLevels,
  members: list(userId),
  avatar: optional(avatar),
  parent: optional(parent),
  roomVersion: optional(text({ pattern: /^[\w.-]{1,32}$/, write: "a room version, e.g. 12" })),
  ...{ federate: flag, encrypted: flag },
};

const aliasPattern = /^[^:\s\0#]{1,200}$/u;

/** A room as the program asks for it; a Space says nothing about encryption. */
export const roomShape: Shape<Kept> = object<Kept>({
  ...fixed,
  name: text({ pattern: /^.{1,255}$/u, write: "a name of 1 to 255 characters" }),
  topic: optional(
    text({ pattern: /^.{1,1000}$/su, write: "a topic of 1 to 1000 characters", multiline: true }),
  ),
  joinRule: object<JoinRule>({
    rule: oneOf("invite", "restricted", "knock", "public"),
    spaceIds: list(roomId),
  }),
  historyVisibility: oneOf("shared", "invited", "joined"),
  alias: optional(text({ pattern: aliasPattern, write: "the local part of an alias, e.g. main" })),
});

/** A room as the state holds it: Read puts there what it finds, and people can write anything into a room. */
export const storedRoomShape: Shape<Kept> = object<Kept>({
  ...fixed,
  name: anything(),
  topic: optional(anything()),
  joinRule: object<JoinRule>({ rule: anything(), spaceIds: list(anything()) }),
  historyVisibility: anything(),
  alias: optional(anything()),
});

/** Text that is only compared and shown. */
function anything<T extends string>(): Shape<T> {
  const { check } = text({ write: "text", multiline: true });
  return { check };
}
