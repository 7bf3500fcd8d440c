import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { HOST_PROGRAMS } from "../homeserver";
import { LEVELS, wanted } from "./rooms";

const run = promisify(execFile);
const OWN = "@hearth:example.org";
const [ALICE, BOB] = ["@alice:example.org", "@bob:example.net"];
const SPACE = "!space";

type Event = { type: string; state_key: string; sender: string; content: object };
interface Row {
  desired: object;
  events: Event[];
  /** What the program knows besides the room's own state. */
  known: object;
}
interface Planned {
  steps: [what: string, action: string, settings: Record<string, unknown>][];
  notes: string[];
}

/** The plan of provider/matrix/programs/room_plan.py for every row, in one process. */
async function plans(rows: Row[]): Promise<Planned[]> {
  const program = `
import json, sys
from room_plan import notes, plan
from room_state import describe_room, membership
OWN = "${OWN}"
def planned(row):
    desired = row["desired"]
    state = {(event["type"], event["state_key"]): event for event in row["events"]}
    seen = {"exists": True, "roomId": "!room", "alias": None, "aliasOwner": None, "avatarDigest": None, "childLink": None}
    seen |= describe_room(state, OWN) | row["known"]
    seen["members"] = {user: membership(state, user) for user in desired["members"]}
    seen["local"] = {user: user.endswith(":example.org") for user in desired["members"]}
    return {"steps": plan(desired, seen, state, OWN), "notes": notes(desired, seen, state, OWN)}
print(json.dumps([planned(row) for row in json.load(sys.stdin)]))
`;
  const child = run("python3", ["-B", "-c", program], {
    env: { ...process.env, PYTHONPATH: HOST_PROGRAMS },
  });
  child.child.stdin?.end(JSON.stringify(rows));
  return JSON.parse((await child).stdout);
}

const event = (type: string, content: object, stateKey = "", sender = OWN): Event => ({
  ...{ type, state_key: stateKey, sender, content },
});
const member = (user: string, membership: string, sender = user) =>
  event("m.room.member", { membership }, user, sender);
const THEIRS = {
  users_default: 0,
  invite: 50,
  kick: 50,
  ban: 50,
  redact: 50,
  state_default: 50,
  events_default: 0,
};
const levels = (users: object, more: object = {}) =>
  event("m.room.power_levels", { ...THEIRS, users, ...more });

/** A room of a version as {@link wanted} describes it. */
function room(version: string, ...others: Event[]): Event[] {
  const all = [
    event("m.room.create", { room_version: version }),
    event("m.room.name", { name: "main" }),
    event("m.room.join_rules", { join_rule: "invite" }),
    event("m.room.history_visibility", { history_visibility: "invited" }),
    event("m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" }),
    levels(version === "12" ? {} : { [OWN]: 100 }),
    member(OWN, "join"),
    ...others,
  ];
  return all.filter(
    (one, index) =>
      !all.slice(index + 1).some((later) => later.type === one.type && later.state_key === one.state_key),
  );
}

const power = (users: object) => ({ powerLevels: { ...LEVELS, users } });
const TABLE: [why: string, row: Partial<Row>, steps: string[]][] = [
  ["a room as wanted is left alone", {}, []],
  [
    "a room that was cut off while it was made is finished",
    { events: [event("m.room.create", { room_version: "12" }), member(OWN, "join")] },
    ["name", "history visibility", "encryption", "power levels"],
  ],
  [
    "a member who was never asked is joined here, invited elsewhere",
    { desired: wanted("main", { members: [ALICE, BOB] }) },
    [`${ALICE} joined`, `${BOB} invited`],
  ],
  [
    "an invitation that waits is turned into a join here, left alone elsewhere",
    {
      desired: wanted("main", { members: [ALICE, BOB] }),
      events: room("12", member(ALICE, "invite", OWN), member(BOB, "invite", OWN)),
    },
    [`${ALICE} joined`],
  ],
  [
    "who knocks and is wanted is let in",
    {
      desired: wanted("main", { members: [ALICE, BOB] }),
      events: room("12", member(ALICE, "knock"), member(BOB, "knock")),
    },
    [`${ALICE} joined`, `${BOB} invited`],
  ],
  [
    "who left, was removed or banned is left alone",
    {
      desired: wanted("main", { members: [ALICE, BOB, "@c:example.org"] }),
      events: room(
        "12",
        member(ALICE, "leave"),
        member(BOB, "leave", OWN),
        member("@c:example.org", "ban", OWN),
      ),
    },
    [],
  ],
  [
    "a topic that the stack does not set is left alone",
    { events: room("12", event("m.room.topic", { topic: "x" })) },
    [],
  ],
  [
    "what people wrote that is no name counts as none",
    { events: room("12", event("m.room.name", { name: { no: "text" } })) },
    ["name"],
  ],
  [
    "an alias that the room announces but that leads nowhere is made again",
    {
      desired: wanted("main", { alias: "main" }),
      events: room("12", event("m.room.canonical_alias", { alias: "#main:example.org" })),
      known: { alias: "#main:example.org" },
    },
    ["alias #main:example.org"],
  ],
  [
    "a room goes from one Space to another",
    {
      desired: wanted("main", { parent: { roomId: "!new", suggested: true, order: null } }),
      events: room("12", event("m.space.parent", { canonical: true, via: ["example.org"] }, SPACE)),
    },
    [`taken out of the Space ${SPACE}`, "put into the Space !new"],
  ],
  [
    "another Space of somebody's that lists the room is their own business",
    { events: room("12", event("m.space.parent", { via: ["example.org"] }, SPACE)) },
    [],
  ],
  [
    "somebody raised by hand is lowered: version 12",
    { events: room("12", levels({ [BOB]: 100 })) },
    ["power levels"],
  ],
  [
    "somebody raised below Hearth is lowered: version 11",
    { events: room("11", levels({ [OWN]: 100, [BOB]: 50 })) },
    ["power levels"],
  ],
  [
    "somebody as high as Hearth stays, or Synapse would refuse it all: version 11",
    { events: room("11", levels({ [OWN]: 100, [BOB]: 100 })) },
    [],
  ],
];

let planned: Planned[];
beforeAll(async () => {
  const rows = TABLE.map(([, row]) => ({ desired: wanted("main"), events: room("12"), known: {}, ...row }));
  planned = await plans([
    ...rows,
    {
      desired: wanted("main", power({ [ALICE]: 100 })),
      events: room("11", levels({ [OWN]: 100, [BOB]: 100 }, { events: { x: 1 } })),
      known: {},
    },
    {
      desired: wanted("main", power({ [ALICE]: 100 })),
      events: room("12", levels({ [BOB]: 100 }, { events: { x: 1 } })),
      known: {},
    },
  ]);
});

test.each(TABLE.map(([why, , steps], index) => ({ why, steps, index })))("[H12] $why", ({ steps, index }) => {
  expect(planned[index]?.steps.map(([what]) => what)).toEqual(steps);
});

test("[H12] new levels keep Hearth's own, who cannot be lowered, and what is set for single events", () => {
  const [old, current] = planned.slice(-2).map(({ steps }) => steps[0]?.[2].content);
  expect(old).toEqual({ ...THEIRS, users: { [ALICE]: 100, [BOB]: 100, [OWN]: 100 }, events: { x: 1 } });
  expect(current).toEqual({ ...THEIRS, users: { [ALICE]: 100 }, events: { x: 1 } });
  expect(planned.at(-2)?.notes).toEqual([
    `${BOB} keeps power 100: in this room version only they themselves can lower it`,
  ]);
});
