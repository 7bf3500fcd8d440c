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
    rule: "a room's Space is one of the stack",
    good: stack({ home: { name } }, { main: { name, space: "home" } }),
    bad: stack({ home: { name } }, { main: { name, space: "hom" }, other: { name, space: "elsewhere" } }),
    says: [
      `${AT}.rooms.main.space: names hom, which is not under hearth:rooms.spaces | did you mean home?`,
      `${AT}.rooms.other.space: names elsewhere, which is not under hearth:rooms.spaces | choose one of: home`,
    ],
  },
  {
    rule: "a key names one Space or one room",
    good: stack({ home: { name } }, { main: { name } }),
    bad: stack({ home: { name } }, { home: { name } }),
    says: [
      `${AT}.rooms.home: has the key of a Space; each is found again by its key, so it can name one thing only | choose another key for one of the two; a new key is a new room`,
    ],
  },
  {
    rule: "only a room of a Space is restricted to it",
    good: stack(
      { home: { name } },
      { main: { name, space: "home", joinRule: "restricted", encrypted: false } },
    ),
    bad: stack({}, { main: { name, joinRule: "restricted" } }),
    says: [
      `${AT}.rooms.main.joinRule: is restricted, but the room is in no Space whose members could join | add \`space:\` with the key of one, or write \`joinRule: invite\``,
    ],
  },
  {
    rule: "a room's place in its Space needs a Space",
    good: stack({ home: { name } }, { main: { name, space: "home", order: "a" } }),
    bad: stack({}, { main: { name, order: "a" } }),
    says: [
      `${AT}.rooms.main.order: has no meaning: the room is in no Space | add \`space:\` with the key of one, or remove it`,
    ],
  },
  {
    rule: "an alias leads to one room",
    good: stack({ home: { name, alias: "home" } }, { main: { name, alias: "main" } }),
    bad: stack({ home: { name, alias: "home" } }, { main: { name, alias: "home" } }),
    says: [
      `${AT}.rooms.main.alias: is the alias of another Space or room of this stack | choose another one for one of the two`,
    ],
  },
  {
    rule: "members without a server are accounts of the stack",
    good: stack({}, { main: { name, members: ["alice", "@carol:example.org", "@dave:example.net"] } }),
    bad: stack({}, { main: { name, members: ["alise", "zoe"] } }),
    says: [
      `${AT}.rooms.main.members[0]: names alise, which is not under hearth:accounts | did you mean alice? Else add the account, or write the whole user ID of somebody else, e.g. @bob:example.net`,
      `${AT}.rooms.main.members[1]: names zoe, which is not under hearth:accounts | add the account, or write the whole user ID of somebody else, e.g. @bob:example.net`,
    ],
  },
  {
    rule: "Hearth's own account is in every room by itself",
    good: stack({}, { main: { name, members: ["@hearth:example.net"] } }),
    bad: stack({ home: { name, members: ["hearth"] } }, { main: { name, members: ["@hearth:example.org"] } }),
    says: [`${AT}.spaces.home.members[0]`, `${AT}.rooms.main.members[0]`].map(
      (key) =>
        `${key}: names Hearth's own account, which makes every room and stays in it with power 100 | remove it`,
    ),
  },
  {
    rule: "a member is named once",
    good: stack({}, { main: { name, members: ["alice", "@alice:example.net"] } }),
    bad: stack({}, { main: { name, members: ["alice", "bob", "@alice:example.org"] } }),
    says: [`${AT}.rooms.main.members[2]: stands in the list already | remove it`],
  },
  {
    rule: "power is given to members",
    good: stack(
      {},
      { main: { name, members: ["@alice:example.org"], powerLevels: { users: { alice: 100 } } } },
    ),
    bad: stack({}, { main: { name, members: ["bob"], powerLevels: { users: { alice: 100 } } } }),
    says: [
      `${AT}.rooms.main.powerLevels.users.alice: is given power, but is not among the members | add alice to rooms.main.members, or remove it here`,
    ],
  },
  {
    rule: "people of other servers are in rooms that federate",
    good: stack({}, { main: { name, federate: false, members: ["alice", "@bob:example.org"] } }),
    bad: stack({}, { main: { name, federate: false, members: ["@bob:example.net"] } }),
    says: [
      `${AT}.rooms.main.members[0]: is on another server, but \`federate: false\` keeps people of other servers out for good | remove it, or choose another key for a room with \`federate: true\``,
    ],
  },
  {
    rule: "people of other servers are on allowed servers",
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
    rule: "a room without encryption can be made",
    good: stack({}, { main: { name, encrypted: false } }),
    bad: stack({}, { main: { name, encrypted: false } }, { encryptionByDefault: "all" }),
    says: [
      `${AT}.rooms.main.encrypted: is false, but \`hearth:homeserver.encryptionByDefault: all\` encrypts every new room | write \`encrypted: true\`, or \`encryptionByDefault: invite\``,
    ],
  },
];
