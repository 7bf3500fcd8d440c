import type { Change } from "../support";
import type { Row } from "./row";

const AT = "hearth:rooms";
const name = "Somewhere";

/** The accounts alice and bob, with these Spaces and rooms. */
function stack(spaces: object, rooms: object, homeserver: Change = {}): Change {
  return { accounts: { alice: {}, bob: {} }, rooms: { spaces, rooms }, homeserver };
}

export const ROOMS: Row[] = [
  {
    rule: "a room's Space is in the stack",
    good: stack({ home: { name } }, { main: { name, space: "home" } }),
    bad: stack({ home: { name } }, { main: { name, space: "hom" }, other: { name, space: "elsewhere" } }),
    says: [
      `${AT}.rooms.main.space: names hom, which is not under hearth:rooms.spaces | did you mean home?`,
      `${AT}.rooms.other.space: names elsewhere, which is not under hearth:rooms.spaces | choose one of: home`,
    ],
  },
  {
    rule: "a Space and a room have different keys",
    good: stack({ home: { name } }, { main: { name } }),
    bad: stack({ home: { name } }, { home: { name } }),
    says: [
      `${AT}.rooms.home: is also the key of a Space; Hearth finds Spaces and rooms by their keys, so each key must be unique | choose another key for one of the two; a new key means a new room`,
    ],
  },
  {
    rule: "a restricted room is in a Space",
    good: stack(
      { home: { name } },
      { main: { name, space: "home", joinRule: "restricted", encrypted: false } },
    ),
    bad: stack({}, { main: { name, joinRule: "restricted" } }),
    says: [
      `${AT}.rooms.main.joinRule: is restricted to members of its Space, but the room is in no Space | add \`space:\` with the key of one, or write \`joinRule: invite\``,
    ],
  },
  {
    rule: "a room with an order is in a Space",
    good: stack({ home: { name } }, { main: { name, space: "home", order: "a" } }),
    bad: stack({}, { main: { name, order: "a" } }),
    says: [
      `${AT}.rooms.main.order: has no meaning: the room is in no Space | add \`space:\` with the key of one, or remove it`,
    ],
  },
  {
    rule: "an alias belongs to one room",
    good: stack({ home: { name, alias: "home" } }, { main: { name, alias: "main" } }),
    bad: stack({ home: { name, alias: "home" } }, { main: { name, alias: "home" } }),
    says: [
      `${AT}.rooms.main.alias: is also the alias of another Space or room of this stack | choose another alias for one of the two`,
    ],
  },
  {
    rule: "members without a server are accounts of the stack",
    good: stack({}, { main: { name, members: ["alice", "@carol:example.org", "@dave:example.net"] } }),
    bad: stack({}, { main: { name, members: ["alise", "zoe"] } }),
    says: [
      `${AT}.rooms.main.members[0]: names alise, which is not under hearth:accounts | did you mean alice? Else add the account, or write the whole user ID of a user on another server, e.g. @bob:example.net`,
      `${AT}.rooms.main.members[1]: names zoe, which is not under hearth:accounts | add the account, or write the whole user ID of a user on another server, e.g. @bob:example.net`,
    ],
  },
  {
    rule: "Hearth's own account is in every room by itself",
    good: stack({}, { main: { name, members: ["@hearth:example.net"] } }),
    bad: stack({ home: { name, members: ["hearth"] } }, { main: { name, members: ["@hearth:example.org"] } }),
    says: [`${AT}.spaces.home.members[0]`, `${AT}.rooms.main.members[0]`].map(
      (key) =>
        `${key}: names Hearth's own account, which creates every room and stays in it with power level 100 | remove it`,
    ),
  },
  {
    rule: "a member is named once",
    good: stack({}, { main: { name, members: ["alice", "@alice:example.net"] } }),
    bad: stack({}, { main: { name, members: ["alice", "bob", "@alice:example.org"] } }),
    says: [`${AT}.rooms.main.members[2]: is already in the list | remove it`],
  },
  {
    rule: "users with a power level are members",
    good: stack(
      {},
      { main: { name, members: ["@alice:example.org"], powerLevels: { users: { alice: 100 } } } },
    ),
    bad: stack({}, { main: { name, members: ["bob"], powerLevels: { users: { alice: 100 } } } }),
    says: [
      `${AT}.rooms.main.powerLevels.users.alice: has a power level, but is not in the list of members | add alice to rooms.main.members, or remove it here`,
    ],
  },
  {
    rule: "members from other servers are in rooms that federate",
    good: stack({}, { main: { name, federate: false, members: ["alice", "@bob:example.org"] } }),
    bad: stack({}, { main: { name, federate: false, members: ["@bob:example.net"] } }),
    says: [
      `${AT}.rooms.main.members[0]: is on another server, but \`federate: false\` permanently excludes users of other servers | remove it, or choose another key for a room with \`federate: true\``,
    ],
  },
  {
    rule: "members from other servers are on allowed servers",
    good: stack(
      {},
      { main: { name, members: ["alice", "@bob:example.net"] } },
      { federation: { allowlist: ["example.net"], trustedKeyServers: ["example.net"] } },
    ),
    bad: stack({}, { main: { name, members: ["@bob:example.net"] } }, { federation: { allowlist: [] } }),
    says: [
      `${AT}.rooms.main.members[0]: is on a server that is not on the allowlist, so no invitation could reach it | add the server to hearth:homeserver.federation.allowlist, or remove the member`,
    ],
  },
  {
    rule: "a room without encryption can be created",
    good: stack({}, { main: { name, encrypted: false } }),
    bad: stack({}, { main: { name, encrypted: false } }, { encryptionByDefault: "all" }),
    says: [
      `${AT}.rooms.main.encrypted: is false, but \`hearth:homeserver.encryptionByDefault: all\` encrypts every new room | write \`encrypted: true\`, or \`encryptionByDefault: invite\``,
    ],
  },
];
