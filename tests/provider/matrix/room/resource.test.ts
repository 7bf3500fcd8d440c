import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askPython } from "../../../../provider/matrix/python";
import { room, space } from "../../../../provider/matrix/room";
import { type Properties, UNKNOWN } from "../../../../provider/protocol/values";
import { ALICE, BOB, call, inputs, ROOM, said, seen, state } from "./sample";

jest.mock("../../../../provider/matrix/python");
const host = jest.mocked(askPython);
const answer = (...rooms: object[]) => host.mockResolvedValue({ status: "ok", rooms });

beforeEach(() => {
  host.mockReset();
  said.length = 0;
});

test("[A1] [H12] rooms as in the state come back as they are; those of a host are one question", async () => {
  answer(seen(), seen({ key: "other" }));
  const states = [state(), state({ key: "other" })];
  expect(await Promise.all(states.map((one) => room.read(call(), one)))).toEqual(states);
  expect(host).toHaveBeenCalledTimes(1);
  const [access, program, request] = host.mock.calls[0] ?? [];
  expect(access).toMatchObject({ scope: "user" });
  expect(program).toBe("room.py");
  expect(request).toMatchObject({
    action: "observe",
    rooms: [{ key: "main", space: false }, { key: "other" }],
  });
  expect(said).toEqual([]);
});

test("[A3] [H12] what was changed by hand comes back in words; who left is told, and is no drift", async () => {
  answer(seen({ name: "Mine", notes: [`${BOB} left`] }));
  const found = await room.read(call(), state());
  expect(found?.inputs).toEqual({ ...inputs({ name: "Mine" }) });
  expect(found?.outputs.drift).toEqual(['name changed by hand to "Mine"']);
  expect(said).toEqual([`info: main of example.org: ${BOB} left`]);
});

test("[A3] [H12] a room that Hearth's account lost is there but does not work", async () => {
  answer(seen({ lost: "@hearth:example.org is not in the room any more" }));
  expect((await room.read(call(), state()))?.unhealthy).toEqual([
    "main of example.org: @hearth:example.org is not in the room any more; pulumi up brings it back",
  ]);
});

test("[H12] a room that is gone is reported, and planned again", async () => {
  answer({ key: "main", exists: false, refusals: [] });
  expect(await room.read(call(), state())).toBeUndefined();
  expect(said).toEqual([
    expect.stringMatching(/^warning: main of example\.org \(!room:example\.org\) is no longer/),
  ]);
});

test("[H12] never gone when unsure: the last state is kept and a warning says so", async () => {
  host.mockResolvedValue({ status: "unavailable", message: "it does not answer" });
  expect(await room.read(call(), state())).toEqual(state());
  expect(said).toEqual([
    expect.stringMatching(/^warning: main of example\.org was not looked at, .*: it does not answer/),
  ]);
});

test("[H12] the first preview: its Space has no ID yet, nothing is asked, what follows is unknown", async () => {
  const unknown = inputs({
    joinRule: { rule: "restricted", spaceIds: [UNKNOWN] },
    parent: { roomId: UNKNOWN, suggested: true },
  });
  expect(room.check({}, unknown).faults).toEqual([]);
  expect((await room.create(call({ preview: true }), unknown)).outputs).toEqual({
    ...{ roomId: UNKNOWN, inviteLink: UNKNOWN },
  });
  expect(host).not.toHaveBeenCalled();
});

test("[H12] a preview says that a room is taken over, or why it cannot be", async () => {
  answer(seen());
  const planned = await room.create(call({ preview: true }), inputs());
  expect(planned.outputs).toEqual(state().outputs);
  expect(said).toEqual([
    `info: main of example.org on home: exists already (${ROOM}) and is taken over; nothing about it changes`,
  ]);
  answer(seen({ refusals: ["the alias is another room's; choose another one"] }));
  await expect(room.create(call({ preview: true }), inputs())).rejects.toThrow(
    "main of example.org cannot be made as the stack says\n  the alias is another room's; choose another one",
  );
});

test("[A2] a preview says what the host's program would do with a room, where it keeps its ID, and what stays in it", async () => {
  answer({ key: "main", exists: false, refusals: [], record: "/state/rooms/main.json" });
  await room.create(call({ preview: true }), inputs());
  answer(seen({ would: ["name", `${BOB} invited`] }));
  const news = inputs({ name: "Hall", members: [BOB], homeserverUrl: "unix:/run/other/client.sock" });
  const olds = inputs({ topic: "Talk", alias: "main", members: [ALICE] });
  await room.update(call({ preview: true }), { ...state(), inputs: olds }, news);
  expect(said).toEqual([
    "info: main of example.org on home: will be made; its ID is kept in /state/rooms/main.json",
    `info: main of example.org on home: will change: name, ${BOB} invited
  its topic stays in it
  its alias stays in it
  ${ALICE} stays in it`,
  ]);
  const { details, silent } = room.diff(olds, news);
  expect(Object.fromEntries([...details].map(([path, { kind }]) => [path, kind]))).toEqual({
    name: "update",
    "members[0]": "update",
  });
  expect(silent).toBe(true);
});

test("[H12] the link leads to the alias where there is one, by way of this server", async () => {
  answer({ ...seen(), existed: false, did: [] });
  const made = await room.create(call(), inputs({ alias: "main" }));
  expect(made).toEqual({
    id: ROOM,
    outputs: { roomId: ROOM, inviteLink: "https://matrix.to/#/%23main%3Aexample.org?via=example.org" },
  });
});

test("[H12] a picture travels when the room changes, not when it is looked at, and is no other picture by then", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hearth-picture-"));
  try {
    const file = join(folder, "main.png");
    writeFileSync(file, "pixels");
    const digest = createHash("sha256").update("pixels").digest("hex");
    const pictured = inputs({ avatar: { file, digest, type: "image/png" } });
    answer({ ...seen({ avatarDigest: digest }), existed: true, did: [] });
    await room.read(call(), { ...state(), inputs: pictured });
    expect(host.mock.lastCall?.[2]).toMatchObject({ rooms: [{ avatar: { digest, type: "image/png" } }] });
    await room.update(call(), state(), pictured);
    const content = Buffer.from("pixels").toString("base64");
    expect(host.mock.lastCall?.[2]).toMatchObject({ rooms: [{ avatar: { digest, content } }] });
    writeFileSync(file, "others");
    await expect(room.update(call(), state(), pictured)).rejects.toThrow(/changed while the update ran/);
    const moved = inputs({ avatar: { file: "/elsewhere/main.png", digest, type: "image/png" } });
    expect(room.diff(pictured, moved).details.size).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("[H12] deleting the resource asks the host nothing and says that the room stays", async () => {
  await room.delete(call(), state());
  expect(host).not.toHaveBeenCalled();
  expect(said).toEqual([expect.stringMatching(/^info: main of example\.org .* stays on the homeserver/)]);
});

test("[H12] a change that is refused says which room, where, why and what to do", async () => {
  host.mockResolvedValue({ status: "refused", message: "the alias is taken" });
  await expect(room.update(call(), state(), inputs())).rejects.toThrow(
    /^room main of example\.org on home could not be made as the stack says: the alias is taken\n {2}fix: /,
  );
});

test.each<[string, Properties, Properties, RegExp]>([
  [
    "encryption off",
    {},
    { encrypted: false },
    /^encrypted: is on in this room, and once on it can never be off/,
  ],
  ["federation off", {}, { federate: false }, /^federate: is true in this room for good/],
  [
    "another version",
    { roomVersion: "11" },
    { roomVersion: "12" },
    /^roomVersion: is "11" in this room for good/,
  ],
])(
  "[H12] what is settled when a room is made is refused before anything is touched: %s",
  (_what, before, after, says) => {
    expect(room.check(inputs(before), inputs({ ...before, ...after })).faults).toEqual([
      expect.stringMatching(says),
    ]);
    // Another key is another room.
    expect(room.check(inputs(before), inputs({ ...before, ...after, key: "new" })).faults).toEqual([]);
  },
);

test.each<[string, Properties, RegExp]>([
  ["a key that is no file name", { key: "../admin" }, /^key: "\.\.\/admin" is not allowed; write a key of/],
  [
    "an unknown join rule",
    { joinRule: { rule: "open", spaceIds: [] } },
    /^joinRule\.rule: "open" is none of/,
  ],
  [
    "a local part as member",
    { members: ["alice"] },
    /^members\[0\]: "alice" is not allowed; write a user ID/,
  ],
  ["an alias with a server", { alias: "main:example.org" }, /^alias: .* write the local part of an alias/],
  [
    "power in words",
    { powerLevels: { users: { [ALICE]: "all" } } },
    /powerLevels\.users\["@alice:example\.org"\]: "all" is not a whole number/,
  ],
])("%s is refused with the path and what is allowed", (_what, change, message) => {
  expect(room.check({}, inputs(change)).faults.join("\n")).toMatch(message);
});

test("[H12] a Space says nothing about encryption, and is asked for as a Space", async () => {
  const { encrypted: _, parent: __, ...rest } = inputs({ joinRule: { rule: "invite", spaceIds: [] } });
  expect(space.check({}, rest).faults).toEqual([]);
  answer(
    seen({
      space: true,
      encrypted: false,
      parentId: null,
      childLink: null,
      joinRule: { rule: "invite", spaceIds: [] },
    }),
  );
  const found = await space.read(call(), { ...state(), inputs: rest });
  expect(found?.inputs).toEqual({ ...rest, parent: null });
  expect(space.diff(found?.inputs ?? {}, rest).details.size).toBe(0);
  expect(host.mock.lastCall?.[2]).toMatchObject({ rooms: [{ space: true, encrypted: false }] });
});

test("[H12] another host's room is another one; another address of the host is no difference; a new Space is", () => {
  const elsewhere = { ...inputs(), connection: { name: "pc", transport: "local", become: "none" } };
  expect([...room.diff(inputs(), elsewhere).details]).toEqual([
    ["connection.name", { kind: "update", replace: true }],
  ]);
  const moved = {
    ...inputs(),
    connection: { name: "home", transport: "ssh", address: "192.0.2.9", become: "none" },
  };
  expect(room.diff(inputs(), moved).details.size).toBe(0);
  const renewed = inputs({ parent: { roomId: UNKNOWN, suggested: true } });
  expect([...room.diff(inputs(), renewed).details.keys()]).toEqual(["parent.roomId"]);
});
