import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { JoinRule, PowerLevels, RoomAvatar } from "../../contract/matrix";
import { ProviderError } from "../../protocol/errors";
import { Keeper } from "../homeserver";
import type { Kept } from "./inputs";

/** What provider/matrix/programs/room.py says about a room that is not there. */
export interface Absent {
  key: string;
  exists: false;
  /** Where its ID will be kept on the host. */
  record: string;
  /** Why it can never become what the stack says. */
  refusals: string[];
}

/** A room as the homeserver has it, see provider/matrix/programs/room.py. */
export interface Present {
  key: string;
  exists: true;
  refusals: string[];
  roomId: string;
  space: boolean;
  roomVersion: string;
  federate: boolean;
  name: string | null;
  topic: string | null;
  joinRule: { rule: string; spaceIds: string[] };
  historyVisibility: string;
  encrypted: boolean;
  powerLevels: PowerLevels;
  /** The alias that the room announces. */
  canonicalAlias: string | null;
  /** The alias that the stack wants, and the room that has it. */
  alias: string | null;
  aliasOwner: string | null;
  /** Digest of the picture we uploaded; empty: another picture; null: none. */
  avatarDigest: string | null;
  parentId: string | null;
  /** How the Space that the stack names lists it; null: it does not. */
  childLink: { suggested: boolean; order: string | null } | null;
  /** Each member that the stack names: `join`, `invite`, `none` (never asked), `left` … */
  members: Record<string, string>;
  /** Why Hearth's account cannot keep the room; null: it can. */
  lost: string | null;
  /** What a change would do. */
  would: string[];
  notes: string[];
}

export type Observed = Absent | Present;

/** A room after a change. */
export interface Applied extends Present {
  existed: boolean;
  did: string[];
}

/** As the program takes it: null where the stack says nothing. */
function request(room: Kept) {
  const { key, name, topic = null, historyVisibility, encrypted, powerLevels, members } = room;
  const { alias = null, roomVersion = null, federate, avatar, parent } = room;
  return {
    ...{ key, name, topic, historyVisibility, encrypted, powerLevels, members, alias, roomVersion, federate },
    joinRule: sortedRule(room.joinRule),
    avatar: avatar === undefined ? null : { digest: avatar.digest, type: avatar.type },
    parent: parent === undefined ? null : { ...parent, order: parent.order ?? null },
  };
}

/** Which Space is named first means nothing. */
function sortedRule(rule: JoinRule): JoinRule {
  return { rule: rule.rule, spaceIds: [...rule.spaceIds].sort() };
}

/** Rooms and Spaces are kept by one program; they differ in what they are made as. */
export function keeper(space: boolean): Keeper<Kept, Observed, Applied> {
  return new Keeper<Kept, Observed, Applied>({
    program: "room.py",
    list: "rooms",
    identity: "key",
    request: (room) => ({ ...request(room), space }),
    title: ({ key, serverName }) => `${space ? "Space" : "room"} ${key} of ${serverName}`,
    // Each invitation may wait for another server.
    timeoutSeconds: 600,
  });
}

/** What the program needs besides to change a room: the picture itself. */
export function pictureOf({ avatar }: Kept): object {
  if (avatar === undefined) return {};
  const { digest, type } = avatar;
  return { avatar: { digest, type, content: readPicture(avatar).toString("base64") } };
}

function readPicture({ file, digest }: RoomAvatar): Buffer {
  const refuse = (problem: string) =>
    new ProviderError("FAILED_PRECONDITION", `the picture ${file} ${problem}\n  fix: run pulumi up again`);
  let picture: Buffer;
  try {
    picture = readFileSync(file);
  } catch {
    throw refuse("can no longer be read");
  }
  if (createHash("sha256").update(picture).digest("hex") === digest) return picture;
  throw refuse("changed while the update ran");
}
