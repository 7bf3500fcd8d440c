import { OWN_ACCOUNT } from "../accounts/schema";
import type { Path } from "../language/fault";
import { type AnyRule, rule } from "../language/rule";
import { nearest } from "../language/shape";
import { joinRuleOf, memberId, type RoomConfig, type RoomsConfig, type SpaceConfig } from "./schema";

type Kind = "spaces" | "rooms";
interface Place {
  kind: Kind;
  key: string;
  config: RoomConfig | SpaceConfig;
}

/** All Spaces and rooms, Spaces first. */
function places(rooms: RoomsConfig): Place[] {
  return (["spaces", "rooms"] as const).flatMap((kind) =>
    Object.entries<RoomConfig | SpaceConfig>(rooms[kind]).map(([key, config]) => ({ kind, key, config })),
  );
}

function pathOf({ kind, key }: Place, ...rest: Path): Path {
  return ["rooms", kind, key, ...rest];
}

/** All users that a Space or room names, with the path in the stack file. */
function mentions(rooms: RoomsConfig): { name: string; path: Path; place: Place }[] {
  return places(rooms).flatMap((place) => [
    ...place.config.members.map((name, index) => ({ name, path: pathOf(place, "members", index), place })),
    ...Object.keys(place.config.powerLevels.users).map((name) => ({
      ...{ name, path: pathOf(place, "powerLevels", "users", name), place },
    })),
  ]);
}

function nameAt(rooms: RoomsConfig, path: Path): string {
  return mentions(rooms).find((mention) => mention.path.join("\n") === path.join("\n"))?.name ?? "";
}

function repeated<T>(items: T[], identity: (item: T) => string | undefined): T[] {
  return items.filter((item, index) => {
    const own = identity(item);
    return own !== undefined && items.findIndex((other) => identity(other) === own) < index;
  });
}

/** Rules about Spaces and rooms. */
export const roomRules: readonly AnyRule[] = [
  rule({
    name: "a room's Space is in the stack",
    needs: ["rooms"],
    when: ({ rooms }) =>
      Object.entries(rooms.rooms)
        .filter(([, room]) => room.space !== undefined && !Object.hasOwn(rooms.spaces, room.space))
        .map(([key]): Path => ["rooms", "rooms", key, "space"]),
    message: ({ rooms }, path) =>
      `names ${rooms.rooms[String(path[2])]?.space}, which is not under hearth:rooms.spaces`,
    fix: ({ rooms }, path) => {
      const names = Object.keys(rooms.spaces);
      const meant = nearest(rooms.rooms[String(path[2])]?.space ?? "", names);
      return meant ? `did you mean ${meant}?` : `choose one of: ${names.join(", ") || "(none there yet)"}`;
    },
  }),
  rule({
    name: "a Space and a room have different keys",
    needs: ["rooms"],
    when: ({ rooms }) => repeated(places(rooms), ({ key }) => key).map((place) => pathOf(place)),
    message:
      "is also the key of a Space; Hearth finds Spaces and rooms by their keys, so each key must be unique",
    fix: "choose another key for one of the two; a new key means a new room",
  }),
  rule({
    name: "a restricted room is in a Space",
    needs: ["rooms"],
    when: ({ rooms }) =>
      Object.entries(rooms.rooms)
        .filter(([, room]) => joinRuleOf(room) === "restricted" && room.space === undefined)
        .map(([key]): Path => ["rooms", "rooms", key, "joinRule"]),
    message: "is restricted to members of its Space, but the room is in no Space",
    fix: "add `space:` with the key of one, or write `joinRule: invite`",
  }),
  rule({
    name: "a room with an order is in a Space",
    needs: ["rooms"],
    when: ({ rooms }) =>
      Object.entries(rooms.rooms)
        .filter(([, room]) => room.order !== undefined && room.space === undefined)
        .map(([key]): Path => ["rooms", "rooms", key, "order"]),
    message: "has no meaning: the room is in no Space",
    fix: "add `space:` with the key of one, or remove it",
  }),
  rule({
    name: "an alias belongs to one room",
    needs: ["rooms"],
    when: ({ rooms }) =>
      repeated(places(rooms), ({ config }) => config.alias).map((place) => pathOf(place, "alias")),
    message: "is also the alias of another Space or room of this stack",
    fix: "choose another alias for one of the two",
  }),
  rule({
    name: "members without a server are accounts of the stack",
    needs: ["rooms", "accounts"],
    when: ({ rooms, accounts }) =>
      mentions(rooms)
        .filter(({ name }) => name !== OWN_ACCOUNT && !name.startsWith("@") && !Object.hasOwn(accounts, name))
        .map(({ path }) => path),
    message: ({ rooms }, path) => `names ${nameAt(rooms, path)}, which is not under hearth:accounts`,
    fix: ({ rooms, accounts }, path) => {
      const meant = nearest(nameAt(rooms, path), Object.keys(accounts));
      const other =
        "add the account, or write the whole user ID of a user on another server, e.g. @bob:example.net";
      return meant ? `did you mean ${meant}? Else ${other}` : other;
    },
  }),
  rule({
    name: "Hearth's own account is in every room by itself",
    needs: ["rooms", "homeserver"],
    when: ({ rooms, homeserver }) =>
      mentions(rooms)
        .filter(
          ({ name }) =>
            memberId(name, homeserver.serverName) === memberId(OWN_ACCOUNT, homeserver.serverName),
        )
        .map(({ path }) => path),
    message: "names Hearth's own account, which creates every room and stays in it with power level 100",
    fix: "remove it",
  }),
  rule({
    name: "a member is named once",
    needs: ["rooms", "homeserver"],
    when: ({ rooms, homeserver }) =>
      places(rooms).flatMap((place) =>
        repeated(
          place.config.members.map((name, index) => ({ name, index })),
          ({ name }) => memberId(name, homeserver.serverName),
        ).map(({ index }) => pathOf(place, "members", index)),
      ),
    message: "is already in the list",
    fix: "remove it",
  }),
  rule({
    name: "users with a power level are members",
    needs: ["rooms", "homeserver"],
    when: ({ rooms, homeserver }) =>
      places(rooms).flatMap((place) => {
        const members = place.config.members.map((name) => memberId(name, homeserver.serverName));
        return Object.keys(place.config.powerLevels.users)
          .filter((name) => !members.includes(memberId(name, homeserver.serverName)))
          .map((name) => pathOf(place, "powerLevels", "users", name));
      }),
    message: "has a power level, but is not in the list of members",
    fix: (_stack, path) =>
      `add ${String(path.at(-1))} to ${path.slice(1, 3).join(".")}.members, or remove it here`,
  }),
  rule({
    name: "members from other servers are in rooms that federate",
    needs: ["rooms", "homeserver"],
    when: ({ rooms, homeserver }) =>
      mentions(rooms)
        .filter(({ name, place }) => !place.config.federate && isRemote(name, homeserver.serverName))
        .map(({ path }) => path),
    message: "is on another server, but `federate: false` permanently excludes users of other servers",
    fix: "remove it, or choose another key for a room with `federate: true`",
  }),
  rule({
    name: "members from other servers are on allowed servers",
    needs: ["rooms", "homeserver"],
    when: ({ rooms, homeserver }) => {
      const { allowlist } = homeserver.federation;
      if (allowlist === undefined) return [];
      return mentions(rooms)
        .filter(
          ({ name }) =>
            isRemote(name, homeserver.serverName) && !allowlist.includes(name.slice(name.indexOf(":") + 1)),
        )
        .map(({ path }) => path);
    },
    message: "is on a server that is not on the allowlist, so no invitation could reach it",
    fix: "add the server to hearth:homeserver.federation.allowlist, or remove the member",
  }),
  rule({
    name: "a room without encryption can be created",
    needs: ["rooms", "homeserver"],
    when: ({ rooms, homeserver }) =>
      homeserver.encryptionByDefault === "all"
        ? Object.entries(rooms.rooms)
            .filter(([, room]) => !room.encrypted)
            .map(([key]): Path => ["rooms", "rooms", key, "encrypted"])
        : [],
    message: "is false, but `hearth:homeserver.encryptionByDefault: all` encrypts every new room",
    fix: "write `encrypted: true`, or `encryptionByDefault: invite`",
  }),
];

function isRemote(name: string, serverName: string): boolean {
  return name.startsWith("@") && name.slice(name.indexOf(":") + 1) !== serverName;
}
