import * as fs from "node:fs/promises";
import * as path from "node:path";
import { startHomeserver } from "../homeserver";
import { LEVELS, type Person, Rooms, type Seen, wanted, wantedSpace } from "./rooms";

/** Synapse's own limits would let these people log in five times. */
const SETTINGS = {
  bcrypt_rounds: 4,
  rc_login: { address: { per_second: 1000, burst_count: 1000 } },
  encryption_enabled_by_default_for_room_type: "invite",
};
const PICTURE = { type: "image/png", content: Buffer.from("a picture").toString("base64") };

let rooms: Rooms;
let alice: Person;
let bob: Person;
let hearth: Person;

beforeAll(async () => {
  rooms = await Rooms.of(await startHomeserver("rooms.test", SETTINGS));
  alice = await rooms.person("alice", true);
  bob = await rooms.person("bob");
  hearth = await rooms.hearth();
});

afterAll(() => rooms?.end());

const powers = (users: Record<string, number>, change: object = {}) => ({ ...LEVELS, ...change, users });
const record = (key: string) => path.join(rooms.state, "rooms", `${key}.json`);

/** What the stack of these tests says, once there are people. */
function stack() {
  const home = wantedSpace("home", {
    ...{ name: "Home", topic: "Ours", alias: "home", members: [alice.user] },
    ...{
      avatar: { ...PICTURE, digest: "one" },
      powerLevels: powers({ [alice.user]: 100 }, { eventsDefault: 100 }),
    },
  });
  const main = (spaceId: string) =>
    wanted("main", {
      ...{ name: "Main", members: [alice.user], powerLevels: powers({ [alice.user]: 100 }) },
      joinRule: { rule: "restricted", spaceIds: [spaceId] },
      parent: { roomId: spaceId, suggested: true, order: "a" },
    });
  return { home, main };
}

describe("a Space and its room", () => {
  let space: Seen;
  let main: Seen;
  let room: object;

  beforeAll(async () => {
    space = await rooms.apply(stack().home);
    room = stack().main(space.roomId);
    main = await rooms.apply(room);
  });

  test("[H12] are made as the stack says, and nobody else's", async () => {
    expect(space).toMatchObject({
      ...{ existed: false, space: true, name: "Home", topic: "Ours", encrypted: false, lost: null },
      ...{ canonicalAlias: "#home:rooms.test", avatarDigest: "one", members: { [alice.user]: "join" } },
      ...{ notes: [], powerLevels: powers({ [alice.user]: 100 }, { eventsDefault: 100 }), federate: true },
    });
    expect(main).toMatchObject({
      ...{ existed: false, encrypted: true, historyVisibility: "invited", parentId: space.roomId },
      ...{ childLink: { suggested: true, order: "a" }, members: { [alice.user]: "join" } },
      joinRule: { rule: "restricted", spaceIds: [space.roomId] },
    });
    expect(await hearth.get(main.roomId, "m.room.guest_access")).toEqual({ guest_access: "forbidden" });
    const { body } = await alice.ask("GET", "/_matrix/client/v3/publicRooms");
    expect(body.chunk).toEqual([]);
  });

  test("[A1] [H12] a second time nothing is done", async () => {
    for (const again of [stack().home, room])
      expect(await rooms.apply(again)).toMatchObject({ existed: true, did: [], notes: [] });
    expect(await rooms.made()).toHaveLength(2);
  });

  test("[H12] who is not in the Space cannot join the room; who is can, without an invitation", async () => {
    expect(await bob.act(main.roomId, "join")).toBe(403);
    expect(await bob.act(space.roomId, "join")).toBe(403);
    expect(await alice.act(space.roomId, "invite", { user_id: bob.user })).toBe(200);
    expect(await bob.act(space.roomId, "join")).toBe(200);
    expect(await bob.act(main.roomId, "join")).toBe(200);
  });

  test("[H11] a member may be given power enough to remove others, and no more", async () => {
    const levels = powers({ [alice.user]: 100, [bob.user]: 50 });
    const change = { ...room, members: [alice.user, bob.user], powerLevels: levels };
    expect((await rooms.apply(change)).did).toEqual(["power levels"]);
    expect(await bob.put(main.roomId, "m.room.power_levels", { users: { [bob.user]: 100 } })).toBe(403);
    expect((await rooms.apply(room)).did).toEqual(["power levels"]);
  });

  test.each<[string, string, object, object]>([
    ["name", "m.room.name", { name: "Mine" }, { name: "Mine" }],
    [
      "join rule",
      "m.room.join_rules",
      { join_rule: "public" },
      { joinRule: { rule: "public", spaceIds: [] } },
    ],
    [
      "history visibility",
      "m.room.history_visibility",
      { history_visibility: "world_readable" },
      { historyVisibility: "world_readable" },
    ],
  ])(
    "[A3] [H12] the %s changed by hand is seen, put back, and nothing else is",
    async (what, type, content, seen) => {
      expect(await alice.put(main.roomId, type, content)).toBe(200);
      expect(await rooms.observe(room)).toMatchObject(seen);
      expect((await rooms.apply(room)).did).toEqual([what]);
      expect((await rooms.apply(room)).did).toEqual([]);
    },
  );

  test("[A3] [H12] powers, topic, alias and picture changed by hand are seen and put back", async () => {
    const levels = await alice.get(space.roomId, "m.room.power_levels");
    expect(
      await alice.put(space.roomId, "m.room.power_levels", {
        ...levels,
        kick: 0,
        users: { [alice.user]: 100, [bob.user]: 50 },
      }),
    ).toBe(200);
    expect(await alice.put(space.roomId, "m.room.topic", { topic: "Theirs" })).toBe(200);
    expect(await alice.put(space.roomId, "m.room.canonical_alias", {})).toBe(200);
    expect(await alice.put(space.roomId, "m.room.avatar", { url: "mxc://rooms.test/other" })).toBe(200);
    expect(await rooms.observe(stack().home)).toMatchObject({
      ...{ topic: "Theirs", canonicalAlias: null, avatarDigest: "" },
      powerLevels: { kick: 0, users: { [alice.user]: 100, [bob.user]: 50 } },
    });
    const { did } = await rooms.apply(stack().home);
    expect(did).toEqual(["topic", "power levels", "alias #home:rooms.test", "avatar"]);
    expect((await rooms.apply(stack().home)).did).toEqual([]);
    const after = await alice.get(space.roomId, "m.room.power_levels");
    expect(after.events).toEqual(levels.events);
  });

  test("[A3] [H12] a room taken out of its Space by hand comes back; one the stack moves leaves the old Space", async () => {
    expect(await alice.put(space.roomId, "m.space.child", {}, main.roomId)).toBe(200);
    expect(await rooms.observe(room)).toMatchObject({ childLink: null });
    expect((await rooms.apply(room)).did).toEqual([`put into the Space ${space.roomId}`]);
    const other = await rooms.apply(wantedSpace("other"));
    const moved = { ...room, parent: { roomId: other.roomId, suggested: false, order: null } };
    expect((await rooms.apply(moved)).did).toEqual([
      `taken out of the Space ${space.roomId}`,
      `put into the Space ${other.roomId}`,
    ]);
    expect(await hearth.get(space.roomId, "m.space.child", main.roomId)).toEqual({});
    expect((await rooms.apply(room)).did).toHaveLength(2);
  });

  test("[H12] who left or was removed is not asked again; who has no account is named", async () => {
    const zoe = await rooms.person("zoe");
    const everybody = { ...room, members: [alice.user, bob.user, zoe.user, "@nobody:rooms.test"] };
    expect((await rooms.apply(everybody)).did).toEqual([`${zoe.user} joined`]);
    expect(await zoe.act(main.roomId, "leave")).toBe(200);
    expect(await alice.act(main.roomId, "kick", { user_id: bob.user })).toBe(200);
    const seen = await rooms.apply(everybody);
    expect(seen).toMatchObject({ did: [], members: { [zoe.user]: "left", [bob.user]: "removed" } });
    expect(seen.notes).toEqual([
      `${bob.user} was removed; to have them back, invite them from a client`,
      `${zoe.user} left or declined the invitation; to have them back, invite them from a client`,
      "@nobody:rooms.test has no account here",
    ]);
  });

  test("[H12] what is settled when a room is made is refused afterwards, before anything is touched", async () => {
    const impossible = { ...room, name: "Other", encrypted: false, federate: false, roomVersion: "10" };
    const { refusals } = await rooms.observe(impossible);
    expect(refusals).toHaveLength(3);
    const answer = await rooms.ask("apply", [impossible]);
    expect(answer).toMatchObject({ status: "refused", message: refusals.join("; ") });
    expect(refusals[0]).toMatch(
      /^encryption is on, and once on it can never be off; write `encrypted: true`/,
    );
    expect((await rooms.observe(room)).name).toBe("Main");
    expect((await rooms.observe(wantedSpace("main"))).refusals).toEqual([
      expect.stringMatching(/^the key main is that of a room/),
    ]);
  });

  test("[H12] an alias that leads elsewhere is not taken away", async () => {
    const greedy = wanted("greedy", { alias: "home" });
    expect((await rooms.observe(greedy)).refusals).toEqual([
      `the alias #home:rooms.test belongs to another room (${space.roomId}); choose another one, or remove it there`,
    ]);
    expect(await rooms.ask("apply", [greedy])).toMatchObject({ status: "refused" });
    expect(await rooms.made()).toHaveLength(3);
  });
});

describe("never two rooms for one key", () => {
  test("[H12] a lost record: the room is found by the key that its creation carries", async () => {
    const first = await rooms.apply(wanted("kept"));
    await fs.rm(record("kept"));
    expect(await rooms.observe(wanted("kept"))).toMatchObject({ exists: true, roomId: first.roomId });
    expect(await rooms.apply(wanted("kept"))).toMatchObject({ existed: true, did: [], roomId: first.roomId });
    expect(JSON.parse(await fs.readFile(record("kept"), "utf8")).roomId).toBe(first.roomId);
  });

  test("[H12] a creation that was cut off is found and finished", async () => {
    const desired = wanted("cut", { topic: "Whole", members: [alice.user] });
    // What a run leaves that ended while the homeserver was making the room.
    await fs.writeFile(record("cut"), JSON.stringify({ creating: Date.now() / 1000 }));
    const applied = rooms.apply(desired);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const creation = { creation_content: { "org.hearth.key": "cut" }, preset: "private_chat" };
    const { body } = await hearth.ask("POST", "/_matrix/client/v3/createRoom", creation);
    expect(await applied).toMatchObject({
      ...{
        existed: true,
        roomId: body.room_id,
        topic: "Whole",
        encrypted: true,
        historyVisibility: "invited",
      },
      members: { [alice.user]: "join" },
    });
  });

  test("[H12] a room of the same key that somebody else made is not taken for ours", async () => {
    const creation = { creation_content: { "org.hearth.key": "lure" }, preset: "private_chat" };
    const { body } = await bob.ask("POST", "/_matrix/client/v3/createRoom", creation);
    const made = await rooms.apply(wanted("lure"));
    expect(made.existed).toBe(false);
    expect(made.roomId).not.toBe(body.room_id);
  });

  test.each([
    ["purged", { purge: true, force_purge: true }],
    ["shut down", { purge: false }],
  ])("[H12] a room that an admin has %s is gone; the next time a new one is made", async (how, body) => {
    const key = how.replace(" ", "-");
    const { roomId } = await rooms.apply(wanted(key, { members: [alice.user] }));
    const removed = await hearth.ask(
      "DELETE",
      `/_synapse/admin/v1/rooms/${encodeURIComponent(roomId)}`,
      body,
    );
    expect(removed.status).toBe(200);
    expect(await rooms.observe(wanted(key))).toMatchObject({ exists: false, refusals: [] });
    const again = await rooms.apply(wanted(key, { members: [alice.user] }));
    expect(again).toMatchObject({ existed: false, members: { [alice.user]: "join" } });
    expect(again.roomId).not.toBe(roomId);
  });
});

describe.each(["11", "12"])("Hearth's own place in a room of version %s", (roomVersion) => {
  const key = `own-${roomVersion}`;
  const desired = () =>
    wanted(key, { roomVersion, members: [alice.user], powerLevels: powers({ [alice.user]: 100 }) });

  test("[H12] it is not listed by the stack, and cannot be removed by the room's admins", async () => {
    const made = await rooms.apply(desired());
    expect(made).toMatchObject({ roomVersion, powerLevels: { users: { [alice.user]: 100 } } });
    const { users } = await hearth.get(made.roomId, "m.room.power_levels");
    expect(users).toEqual({ [alice.user]: 100, ...(roomVersion === "11" && { [hearth.user]: 100 }) });
    expect(await alice.act(made.roomId, "kick", { user_id: hearth.user })).toBe(403);
    expect((await rooms.apply(desired())).did).toEqual([]);
  });

  test("[H12] it reads no message: it has no key that others could encrypt to", async () => {
    const { body } = await alice.ask("POST", "/_matrix/client/v3/keys/query", {
      device_keys: { [hearth.user]: [] },
    });
    expect(body.device_keys).toEqual({ [hearth.user]: {} });
  });

  test("[A3] [H12] when it has left, that is seen, and it comes back", async () => {
    const { roomId } = await rooms.observe(desired());
    expect(await hearth.act(roomId, "leave")).toBe(200);
    expect((await rooms.observe(desired())).lost).toBe("@hearth:rooms.test is not in the room any more");
    if (roomVersion === "12") {
      // Nobody may give the creator power, so nobody can be made to: a person has to let it in.
      const refused = await rooms.ask("apply", [desired()]);
      expect(refused).toMatchObject({ status: "refused" });
      expect(refused.message).toMatch(
        /let an admin of the room \S+ invite @hearth:rooms\.test .*, then run again$/,
      );
      expect(await alice.act(roomId, "invite", { user_id: hearth.user })).toBe(200);
    }
    expect(await rooms.apply(desired())).toMatchObject({ lost: null, did: ["@hearth:rooms.test came back"] });
  });

  test("[H12] an admin of the room is lowered where that can be", async () => {
    const lowered = { ...desired(), powerLevels: powers({ [alice.user]: 50 }) };
    const seen = await rooms.apply(lowered);
    if (roomVersion === "12") expect(seen).toMatchObject({ did: ["power levels"], notes: [] });
    else
      expect(seen).toMatchObject({
        ...{ did: [], powerLevels: { users: { [alice.user]: 100 } } },
        notes: [`${alice.user} keeps power 100: in this room version only they themselves can lower it`],
      });
  });
});
