import type { Present } from "../../../../provider/matrix/room/host";
import { storedRoomShape } from "../../../../provider/matrix/room/inputs";
import { driftOf, observedInputs } from "../../../../provider/matrix/room/observed";
import { parse } from "../../../../provider/protocol/shape";
import type { Properties } from "../../../../provider/protocol/values";
import { ALICE, BOB, inputs, ROOM, SPACE, seen } from "./sample";

const levels = seen().powerLevels;

test.each<[string, Properties, Partial<Present>, string[], Properties]>([
  ["as the stack says", {}, {}, [], {}],
  ["a topic that the stack leaves to its people", {}, { topic: "New" }, [], {}],
  ["renamed", {}, { name: "Mine" }, ['name changed by hand to "Mine"'], { name: "Mine" }],
  ["without a name", {}, { name: null }, ['name changed by hand to ""'], { name: "" }],
  [
    "opened to everybody",
    {},
    { joinRule: { rule: "public", spaceIds: [] } },
    ["join rule changed by hand to public"],
    { joinRule: { rule: "public", spaceIds: [] } },
  ],
  [
    "with the history shown to the world",
    {},
    { historyVisibility: "world_readable" },
    ["history visibility changed by hand to world_readable"],
    { historyVisibility: "world_readable" },
  ],
  ["encrypted by hand", { encrypted: false }, {}, ["encryption switched on by hand"], { encrypted: true }],
  [
    "somebody made moderator, and an action made cheaper",
    {},
    { powerLevels: { ...levels, kick: 0, users: { [ALICE]: 100, [BOB]: 50 } } },
    ["power level kick changed by hand to 0", `power of ${BOB} changed by hand to 50`],
    { powerLevels: { ...levels, kick: 0, users: { [ALICE]: 100, [BOB]: 50 } } },
  ],
  [
    "an admin lowered to what everybody has",
    {},
    { powerLevels: { ...levels, users: {} } },
    [`power of ${ALICE} changed by hand to 0`],
    { powerLevels: { ...levels, users: { [ALICE]: 0 } } },
  ],
  [
    "somebody listed with what everybody has anyway",
    {},
    { powerLevels: { ...levels, users: { [ALICE]: 100, [BOB]: 0 } } },
    [],
    {},
  ],
  ["somebody who left", {}, { members: { [ALICE]: "join", [BOB]: "left" } }, [], {}],
  [
    "somebody whom no invitation reached",
    {},
    { members: { [ALICE]: "join", [BOB]: "none" } },
    [`${BOB} is neither in it nor invited`],
    { members: [ALICE] },
  ],
  [
    "with another alias",
    { alias: "main" },
    { alias: "#main:example.org", aliasOwner: ROOM, canonicalAlias: "#mine:example.org" },
    ["alias changed by hand to #mine:example.org"],
    { alias: "mine" },
  ],
  [
    "with an alias that leads nowhere any more",
    { alias: "main" },
    { alias: "#main:example.org", aliasOwner: null, canonicalAlias: "#main:example.org" },
    ["alias removed by hand"],
    { alias: "main" },
  ],
  [
    "no longer listed by its Space",
    {},
    { childLink: null },
    ["its Space no longer lists it"],
    { parent: null },
  ],
  [
    "moved elsewhere in its Space",
    {},
    { childLink: { suggested: false, order: "z" } },
    ["its place in the Space changed by hand"],
    { parent: { roomId: SPACE, suggested: false, order: "z" } },
  ],
])("[A3] [H12] drift of a room that is %s", (_what, wanted, found, drift, change) => {
  const room = parse(storedRoomShape, inputs(wanted), "the inputs");
  const is = seen(found);
  expect(driftOf(room, is)).toEqual(drift);
  const read = { ...inputs(wanted), ...observedInputs(room, is) };
  expect(read).toEqual(inputs({ ...wanted, ...change }));
  // What was read stands in the state, and the next run has to understand it.
  expect(() => parse(storedRoomShape, read, "the inputs")).not.toThrow();
});
