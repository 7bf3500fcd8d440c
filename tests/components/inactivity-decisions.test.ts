import { askModule } from "../support/ask-module";

const DAY = 86_400;
const NOW = 1_800_000_000;
const WINDOW = 14 * DAY;
const BOT = "@hearth-inactivity:here.org";
const ago = (days: number) => NOW - days * DAY;

/** A member of one room whose history is completely known. */
const sign = (change: object = {}) => ({
  room: "Main",
  seen: ago(20),
  joined: ago(100),
  power: 0,
  bot_power: 50,
  complete: true,
  why: null,
  ...change,
});

interface Case {
  what: string;
  user?: string;
  signs: object[];
  exempt?: string[];
  silent?: string[];
  verdict: "inactive" | "active" | "unknown" | "exempt";
  last?: number | null;
  why?: RegExp;
}

const CASES: Case[] = [
  {
    what: "silent for the whole window, in a room with complete history",
    signs: [sign()],
    verdict: "inactive",
    last: ago(20),
  },
  {
    what: "never seen, in a room with complete history",
    signs: [sign({ seen: null })],
    verdict: "inactive",
    last: null,
  },
  { what: "seen yesterday", signs: [sign({ seen: ago(1) })], verdict: "active", last: ago(1) },
  { what: "seen at the very start of the window", signs: [sign({ seen: ago(14) })], verdict: "active" },
  { what: "seen a second before the window", signs: [sign({ seen: ago(14) - 1 })], verdict: "inactive" },
  {
    what: "silent here, active in another room",
    signs: [sign(), sign({ room: "B", seen: ago(2) })],
    verdict: "active",
    last: ago(2),
  },
  {
    what: "history that does not go back far enough",
    signs: [sign({ complete: false, why: "its history does not go back" })],
    verdict: "unknown",
    last: ago(20),
    why: /^Main: its history does not go back/,
  },
  {
    what: "nothing seen, and history incomplete",
    signs: [sign({ seen: null, complete: false, why: "error" })],
    verdict: "unknown",
    last: null,
  },
  {
    what: "complete history in one room, but not in the other",
    signs: [sign(), sign({ room: "B", complete: false, why: "error" })],
    verdict: "unknown",
    why: /^B: error/,
  },
  {
    what: "active although the history is incomplete",
    signs: [sign({ seen: ago(3), complete: false, why: "error" })],
    verdict: "active",
  },
  {
    what: "joined within the window",
    signs: [sign({ seen: null, joined: ago(13) })],
    verdict: "unknown",
    why: /whole window/,
  },
  {
    what: "joined at an unknown time",
    signs: [sign({ joined: null })],
    verdict: "unknown",
    why: /since when/,
  },
  {
    what: "joined one room just now",
    signs: [sign(), sign({ room: "B", joined: ago(1) })],
    verdict: "unknown",
    why: /in B for/,
  },
  {
    what: "an event with a date in the future",
    signs: [sign({ seen: ago(-1) })],
    verdict: "unknown",
    last: null,
    why: /future/,
  },
  { what: "a clock that is a minute fast", signs: [sign({ seen: NOW + 60 })], verdict: "active", last: NOW },
  { what: "no evidence at all", signs: [], verdict: "unknown", last: null, why: /nothing is known/ },
  {
    what: "from a server that does not answer",
    user: "@bob:there.org",
    signs: [sign()],
    silent: ["there.org"],
    verdict: "unknown",
    why: /may still be on its way/,
  },
  {
    what: "from a server that answers, while another does not",
    user: "@bob:there.org",
    signs: [sign()],
    silent: ["elsewhere.org"],
    verdict: "inactive",
  },
  { what: "the bot itself", user: BOT, signs: [sign()], verdict: "exempt" },
  { what: "Hearth's admin account", user: "@hearth:here.org", signs: [sign()], verdict: "exempt" },
  {
    what: "another account of Hearth",
    user: "@hearth-maintenance:here.org",
    signs: [sign()],
    verdict: "exempt",
  },
  {
    what: "a user of another server whose name is hearth",
    user: "@hearth:there.org",
    signs: [sign()],
    verdict: "inactive",
  },
  {
    what: "a user whose name begins with hearth",
    user: "@hearthstone:here.org",
    signs: [sign()],
    verdict: "inactive",
  },
  { what: "exempt in the stack file", signs: [sign()], exempt: ["@alice:here.org"], verdict: "exempt" },
  { what: "as much power as the bot", signs: [sign({ power: 50 })], verdict: "exempt", why: /power in Main/ },
  { what: "less power than the bot", signs: [sign({ power: 49 })], verdict: "inactive" },
  {
    what: "power in another room",
    signs: [sign(), sign({ room: "B", power: 100 })],
    verdict: "exempt",
    why: /power in B/,
  },
  { what: "a bot without power removes nobody", signs: [sign({ bot_power: 0 })], verdict: "exempt" },
];

type Decision = [user: string, verdict: string, last: number | null, why: string];

let decisions: Decision[];

const DECIDE = `
import json, sys
from decide import decide
print(json.dumps([decide(*row)[0] for row in json.load(sys.stdin)]))
`;

beforeAll(async () => {
  const rows = CASES.map(({ user = "@alice:here.org", signs, exempt = [], silent = [] }) => [
    [user],
    signs.length === 0 ? {} : { [user]: signs },
    NOW,
    { window: WINDOW, bot: BOT, exempt, silent_servers: silent },
  ]);
  decisions = await askModule("inactivity", DECIDE, rows);
});

test.each(CASES.map((row, index) => ({ ...row, index })))(
  "[H11] $verdict: $what",
  ({ index, user = "@alice:here.org", verdict, last, why = /./ }) => {
    const [who, is, seen, because] = decisions[index] ?? [];
    expect([who, is]).toEqual([user, verdict]);
    if (last !== undefined) expect(seen).toBe(last);
    expect(because).toMatch(why);
  },
);

const SPOILERS: [what: string, change: object, silent?: string[]][] = [
  ["history is not complete", { complete: false, why: "error" }],
  ["the time of joining is not known", { joined: null }],
  ["they joined within the window", { joined: ago(1) }],
  ["an event has a date in the future", { seen: ago(-2) }],
  ["their server does not answer", {}, ["here.org", "there.org"]],
];

test.each(SPOILERS)("[H11] no member is inactive if %s", async (_what, change, silent = []) => {
  const rows = CASES.map(({ user = "@alice:here.org", signs, exempt = [] }) => [
    [user],
    { [user]: signs.map((one) => ({ ...one, ...change })) },
    NOW,
    { window: WINDOW, bot: BOT, exempt, silent_servers: silent },
  ]);
  const verdicts = (await askModule<Decision[]>("inactivity", DECIDE, rows)).map(([, verdict]) => verdict);
  expect(verdicts).toContain("unknown");
  expect(verdicts).not.toContain("inactive");
});

describe("limits of one run", () => {
  const names = (count: number, verdict: string) =>
    Array.from({ length: count }, (_, index) => [`@${verdict}${index}:here.org`, verdict, null, "because"]);
  const machinery = [[BOT, "exempt", null, "the bot itself"]];
  const ids = (decided: unknown[][]) => decided.map(([user]) => user);

  async function withheld(
    decided: unknown[][],
    rooms: Record<string, unknown[]>,
    most = 5,
  ): Promise<string | null> {
    const program = `
import json, sys
from decide import Decision, withheld
decided, rooms, most = json.load(sys.stdin)
print(json.dumps(withheld([Decision(*one) for one in decided], rooms, most)))
`;
    return askModule("inactivity", program, [decided, rooms, most]);
  }

  test("[H11] the allowed number of members, and half of a room, may be removed", async () => {
    const decided = [...names(5, "inactive"), ...names(5, "active"), ...machinery];
    expect(await withheld(decided, { Main: ids(decided) })).toBeNull();
  });

  test("[H11] with one member more than allowed, nobody is removed", async () => {
    const decided = [...names(6, "inactive"), ...names(20, "active")];
    expect(await withheld(decided, { Main: ids(decided) })).toBe(
      "6 members would be removed, more than maxRemovals allows in one run (5)",
    );
  });

  test("[H11] with more than half of one room, nobody is removed from any room; the bot does not count as a member", async () => {
    const decided = [...names(3, "inactive"), ...names(9, "active"), ...machinery];
    const small = ["@inactive0:here.org", "@inactive1:here.org", "@active0:here.org", BOT];
    expect(await withheld(decided, { Main: ids(decided), Small: small })).toBe(
      "2 of 3 members of Small would be removed, more than half",
    );
  });
});

describe("a clock that leapt ahead", () => {
  const silent = ["@alice:here.org", "inactive", ago(20), "because"];
  const doubt = (times: number[], born = ago(100), decided = [silent]): Promise<string | null> =>
    askModule(
      "inactivity",
      `
import json, sys
from decide import Decision, clock_doubt
decided, *others = json.load(sys.stdin)
print(json.dumps(clock_doubt([Decision(*one) for one in decided], *others)))
`,
      [decided, times, born, NOW, WINDOW],
    );

  test.each<[string, number[], RegExp | null]>([
    ["people were seen all the time", [ago(13), ago(9), ago(4), ago(1)], null],
    ["nobody was seen recently", [ago(13), ago(8)], /nobody at all was seen/],
    ["nobody was ever seen", [], /the clock may have leapt/],
    ["people continued to write with the new time", [ago(40), ago(39), ago(0)], /the clock may have leapt/],
    ["it leapt within the window", [ago(13), ago(12), ago(2), ago(1)], /the clock may have leapt/],
    ["somebody's clock is a minute fast", [ago(13), ago(6), NOW + 60], null],
  ])("[H11] %s", async (_what, times, says) => {
    if (says === null) expect(await doubt(times)).toBeNull();
    else expect(await doubt(times)).toMatch(says);
  });

  test("[H11] no doubt about the time before the first room existed", async () => {
    expect(await doubt([ago(1)], ago(2))).toBeNull();
  });

  test("[H11] no doubt if nobody is inactive", async () => {
    expect(await doubt([], ago(100), [["@bob:here.org", "active", ago(8), "seen"]])).toBeNull();
  });
});

test("[H11] if the bot is not in a room that it must watch, nobody is removed from any room", async () => {
  const program = `
import json, sys
from decide import Decision, blind_spot
print(json.dumps([blind_spot([Decision(*one) for one in decided], missing) for decided, missing in json.load(sys.stdin)]))
`;
  const silent = [["@alice:here.org", "inactive", null, "because"]];
  const rows = [
    [silent, ["main", "games"]],
    [silent, []],
    [[["@bob:here.org", "active", ago(8), "seen"]], ["main"]],
  ];
  expect(await askModule("inactivity", program, rows)).toEqual([
    "the bot is not in main, games, and who was seen only there looks silent",
    null,
    null,
  ]);
});

test("[H11] an answer from our own server does not count as an answer from another server", async () => {
  const program = `
import json, sys
from gather import is_their_answer
print(json.dumps([is_their_answer(*row) for row in json.load(sys.stdin)]))
`;
  const rows = [
    [200, {}],
    [404, { errcode: "M_NOT_FOUND" }],
    [403, { errcode: "M_FORBIDDEN", error: "Profile lookup over federation is disabled on this homeserver" }],
    [403, { errcode: "M_FORBIDDEN", error: "Federation denied with there.org." }],
    [400, { errcode: "M_INVALID_PARAM", error: "Invalid user id" }],
    [502, {}],
  ];
  expect(await askModule("inactivity", program, rows)).toEqual([true, true, true, false, false, false]);
});

test("[H11] activity in a watched room counts for the other rooms, even after the member has left it", async () => {
  const program = `
import json, sys
from types import SimpleNamespace
from gather import Room
from inactivity import decisions_on
now, window = json.load(sys.stdin)
def event(kind, key, sender, age, **content):
    return {"type": kind, "state_key": key, "sender": sender, "origin_server_ts": (now - age) * 1000, "content": content}
def room(key, *members):
    joins = [event("m.room.member", user, user, 90 * 86400, membership="join") for user in members]
    levels = event("m.room.power_levels", "", "@hearth:x", 90 * 86400, users={"@hearth-inactivity:x": 50})
    made = Room("!" + key, [event("m.room.create", "", "@hearth:x", 90 * 86400), levels, *joins])
    made.shortfall = None
    return made
left, other = room("left"), room("other", "@alice:x", "@bob:x")
left.saw("@alice:x", now - 86400)
options = SimpleNamespace(window=window, exempt=[])
print(json.dumps({one.user: one.verdict for one in decisions_on([left, other], now, [], "@hearth-inactivity:x", options)}))
`;
  expect(await askModule("inactivity", program, [NOW, WINDOW])).toEqual({
    "@alice:x": "active",
    "@bob:x": "inactive",
  });
});

test("[H11] rooms with the same name are counted separately", async () => {
  const program = `
import json, sys
from types import SimpleNamespace
from inactivity import members_by_room
print(json.dumps(members_by_room([SimpleNamespace(**room) for room in json.load(sys.stdin)])))
`;
  const rooms = [
    { id: "!1", name: "Main", members: ["@a:x", "@b:x"] },
    { id: "!2", name: "Main", members: ["@a:x"] },
    { id: "!3", name: "Other", members: ["@b:x"] },
  ];
  expect(await askModule("inactivity", program, rooms)).toEqual({
    "Main (!1)": ["@a:x", "@b:x"],
    "Main (!2)": ["@a:x"],
    Other: ["@b:x"],
  });
});

describe("whether a room's history is complete", () => {
  const START = NOW - WINDOW;
  const event = (id: number, days: number, prev: number[] | null, change: object = {}) => ({
    id: `$${id}`,
    type: "m.room.message",
    time: ago(days),
    depth: id,
    prev: prev?.map((one) => `$${one}`) ?? null,
    ...change,
  });
  const room = (change: object = {}) => ({
    now: NOW,
    hidden_after: WINDOW,
    kept_since: ago(60),
    replaced_by: null,
    visibility: "shared",
    visibility_since: ago(100),
    bot_joined: ago(90),
    ...change,
  });
  const chain = [event(3, 1, [2]), event(2, 5, [1]), event(1, 20, [0])];
  const purged = [event(3, 1, [2]), event(2, 5, [1])];
  const born = [event(2, 1, [1]), event(1, 3, [], { type: "m.room.create" })];

  const TABLE: [what: string, events: object[], reached: string, room: object, says: RegExp | null][] = [
    ["read back beyond the window", chain, "start", room(), null],
    ["read to its creation", born, "end", room(), null],
    ["read to the age at which messages are purged", purged, "end", room(), null],
    [
      "ends within the window, and nothing is purged here",
      purged,
      "end",
      room({ hidden_after: null }),
      /does not go back/,
    ],
    [
      "ends within the window, and the bot joined later",
      purged,
      "end",
      room({ bot_joined: ago(2) }),
      /does not go back/,
    ],
    [
      "ends within the window, and messages had a shorter lifetime until recently",
      purged,
      "end",
      room({ kept_since: ago(3) }),
      /does not go back/,
    ],
    [
      "ends within the window, and it is unknown since when messages have this lifetime",
      purged,
      "end",
      room({ kept_since: null }),
      /does not go back/,
    ],
    [
      "continues in another room after an upgrade",
      chain,
      "start",
      room({ replaced_by: "!new" }),
      /goes on as !new/,
    ],
    ["a later bot that sees all of an open history", chain, "start", room({ bot_joined: ago(2) }), null],
    [
      "a later bot, history for members only",
      chain,
      "start",
      room({ bot_joined: ago(2), visibility: "joined" }),
      /does not see what was before/,
    ],
    [
      "a later bot, history opened within the window",
      chain,
      "start",
      room({ bot_joined: ago(2), visibility_since: ago(3) }),
      /does not see/,
    ],
    [
      "a bot that joined at an unknown time",
      chain,
      "start",
      room({ bot_joined: null, visibility: "joined" }),
      /does not see/,
    ],
    [
      "messages have a shorter lifetime than the window",
      chain,
      "start",
      room({ hidden_after: DAY }),
      /hidden sooner/,
    ],
    ["too much to read", chain, "limit", room(), /too much/],
    ["nothing to read", [], "end", room(), /nothing of its history/],
    [
      "an event in between was not delivered",
      [event(5, 1, [4]), event(3, 6, [2]), event(2, 20, [1])],
      "start",
      room(),
      /in between is missing/,
    ],
    [
      "one of two branches was not delivered",
      [event(5, 1, [3, 4]), event(3, 6, [2]), event(2, 20, [1])],
      "start",
      room(),
      /in between is missing/,
    ],
    ["a homeserver that does not send the order", [event(3, 1, null)], "end", room(), /does not tell/],
    [
      "gaps before the window do not matter",
      [event(9, 1, [8]), event(8, 20, [7]), event(3, 40, [2])],
      "start",
      room(),
      null,
    ],
  ];

  test.each(TABLE)("[H11] %s", async (_what, events, reached, facts, says) => {
    const program = `
import json, sys
from history import shortfall
print(json.dumps(shortfall(*json.load(sys.stdin))))
`;
    const answer = await askModule<string | null>("inactivity", program, [events, reached, START, facts]);
    if (says === null) expect(answer).toBeNull();
    else expect(answer).toMatch(says);
  });
});

test("[S6] a name that others choose cannot erase or forge a line of a report or a log", async () => {
  const program = `
import json, sys, tempfile
import report, session
from decide import Decision
evil = json.load(sys.stdin)
user = f"@mallory{evil}\\n  @alice:here.org  last seen: never:x\\ud800"
decisions = [Decision(user=user, verdict="inactive", last_seen=None, why=evil)]
run = {"now": 0, "window": 86400, "dry_run": True, "withheld": evil, "missing": [], "outcome": {user: evil},
       "rooms": [(f"Main{evil}\\nforged", 2, evil)], "decisions": decisions}
text = report.render(run)
folder = tempfile.mkdtemp()
log = session.Log(folder)
stdout, sys.stdout = sys.stdout, sys.stderr
log(f"removed {user}")
sys.stdout = stdout
with open(log.path, encoding="utf-8") as file:
    print(json.dumps({"report": text, "log": file.read()}))
`;
  const { report, log } = await askModule<{ report: string; log: string }>(
    "inactivity",
    program,
    "\u001b[2K\u009b\u202e",
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for control characters
  for (const text of [report, log]) expect(text).not.toMatch(/[\u001b\u009b\u202e\ud800]/);
  expect(report.split("\n").filter((line) => /^ {2}(@alice|forged)/.test(line))).toEqual([]);
  expect(report).toContain("@mallory\\u001b[2K\\u009b\\u202e\\n  @alice");
  expect(log.trimEnd().split("\n")).toHaveLength(1);
  expect(log).toContain("removed @mallory\\u001b[2K");
});

test("an unexpected format of a receipt, a name or a power level affects one room only, and the bot continues", async () => {
  const program = `
import json, sys
import gather, session
def event(kind, content, state_key="", ts=1000, sender="@admin:here.org"):
    return {"type": kind, "state_key": state_key, "content": content, "sender": sender, "origin_server_ts": ts, "event_id": "$" + kind}
absurd = json.loads(sys.stdin.read())
room = gather.Room("!r:here.org", [
    event("m.room.create", {"org.hearth.key": "main", "room_version": 10, "additional_creators": 7}),
    event("m.room.name", {"name": {"en": "x"}}),
    event("m.room.power_levels", {"users": {"@low:there.org": "much", "@old:there.org": "50", "@float:there.org": 100.0}, "users_default": True, "kick": []}),
    event("m.room.member", {"membership": "join"}, "@a:there.org", ts=10**400, sender="@a:there.org"),
])
for number, ts in enumerate([10**400, -5, True, "1000", None, {}, 1.5e300, *absurd]):
    gather.note_receipts(room, {"$e": {"m.read": {f"@u{number}:there.org": {"ts": ts}}}})
gather.note_receipts(room, {"$e": {"m.read": {"@good:there.org": {"ts": 5000}, "@bad:there.org": 3}}, "$f": []})
class Server:
    user = "@bot:here.org"
    def __init__(self, chunk): self.chunk = chunk
    def get(self, path, **query): return {"chunk": self.chunk}
class Options:
    window, max_lifetime, allowed_min, allowed_max, kept_since = 10, None, None, None, None
gather.read_history(Server([event("m.room.message", {}, ts=-1)]), room, 100.0, Options)
untimed = room.shortfall
gather.read_history(Server([{"nothing": 1}]), room, 100.0, Options)
print(json.dumps({
    "name": room.name, "seen": room.seen, "joined": gather.joined_at(room.members["@a:there.org"]), "born": room.born,
    "powers": [room.power("@low:there.org"), room.power("@old:there.org"), room.power("@float:there.org"), room.may_remove("@old:there.org")],
    "untimed": untimed, "odd": room.shortfall,
}))`;
  expect(await askModule("inactivity", program, [2 ** 53 + 2])).toEqual({
    name: "main",
    seen: { "@good:there.org": 5 },
    joined: null,
    born: 1,
    powers: [0, 50, 100, true],
    untimed: "its history could not be read: event $m.room.message has no usable time",
    odd: expect.stringMatching(/^its history could not be understood: KeyError/),
  });
});
