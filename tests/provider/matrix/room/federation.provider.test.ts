import { eventually } from "../../../support/jobs";
import { startFederatingHomeserver } from "../homeserver";
import { type Person, Rooms, type Seen, wanted, wantedSpace } from "./rooms";

const SETTINGS = { bcrypt_rounds: 4, rc_login: { address: { per_second: 1000, burst_count: 1000 } } };

let here: Rooms;
let there: Rooms;
let bob: Person;
let carol: Person;

beforeAll(async () => {
  const both = await Promise.all([startFederatingHomeserver(SETTINGS), startFederatingHomeserver(SETTINGS)]);
  [here, there] = [await Rooms.of(both[0]), await Rooms.of(both[1])];
  [bob, carol] = [await there.person("bob"), await there.person("carol")];
});

afterAll(() => Promise.all([here?.end(), there?.end()]));

let space: Seen;
const home = () => wantedSpace("home", { members: [bob.user] });
const main = () =>
  wanted("main", {
    joinRule: { rule: "restricted", spaceIds: [space.roomId] },
    parent: { roomId: space.roomId, suggested: true, order: null },
  });
const via = () => here.homeserver.serverName;

test("[H12] [H15] somebody on another server is invited to the Space and may then join its room; others may not", async () => {
  space = await here.apply(home());
  expect(space).toMatchObject({ did: [`${bob.user} invited`], members: { [bob.user]: "invite" }, notes: [] });
  const { roomId } = await here.apply(main());
  expect(await bob.act(roomId, "join", {}, via())).toBe(403);
  expect(await bob.act(space.roomId, "join", {}, via())).toBe(200);
  expect(await bob.act(roomId, "join", {}, via())).toBe(200);
  expect(await carol.act(roomId, "join", {}, via())).toBe(403);
});

test("[A1] [H12] the invited are not invited again, whatever became of the invitation", async () => {
  expect(await here.apply(home())).toMatchObject({ did: [], members: { [bob.user]: "join" } });
  const wider = wantedSpace("home", { members: [bob.user, carol.user] });
  expect((await here.apply(wider)).did).toEqual([`${carol.user} invited`]);
  expect((await here.apply(wider)).did).toEqual([]);
  expect(await carol.act(space.roomId, "leave")).toBe(200);
  const left = async () => (await here.observe(wider)).members[carol.user] === "left";
  expect(await eventually(left, 60)).toBe(true);
  const seen = await here.apply(wider);
  expect(seen.did).toEqual([]);
  expect(seen.notes).toEqual([expect.stringMatching(`^${carol.user} left or declined the invitation; `)]);
});

test("[H12] a server that is down keeps the room from nothing; its people are asked at the next up", async () => {
  const absent = "@dave:localhost:9";
  const seen = await here.apply(wanted("other", { topic: "Whole", members: [absent] }));
  expect(seen).toMatchObject({ topic: "Whole", did: [], members: { [absent]: "none" } });
  expect(seen.notes).toEqual([
    expect.stringMatching(`^${absent} could not be invited .*; the next up tries again$`),
  ]);
});

test("[H12] a room that does not federate lets nobody of another server in", async () => {
  const seen = await here.apply(wanted("ours", { federate: false, members: [bob.user] }));
  expect(seen).toMatchObject({ federate: false, members: { [bob.user]: "none" } });
  expect(await bob.act(seen.roomId, "join", {}, via())).toBe(403);
});
