import * as fs from "node:fs/promises";
import * as path from "node:path";
import {
  eventually,
  IMPATIENT,
  jobAccount,
  makeUser,
  pause,
  type Reachable,
  runJob,
  startReachable,
  type User,
} from "../support/jobs";

/**
 * The window in seconds. Messages have the same lifetime and are purged: the hardest case for a proof of inactivity. On a busy
 * machine there are some seconds between a member's event and the run that must find it.
 */
const WINDOW = 30;
const KEY = "org.hearth.key";

let here: Reachable;
let there: Reachable;
let people: Record<"admin" | "alice" | "carol" | "dave" | "frank" | "bob" | "erin", User>;
let bot: Awaited<ReturnType<typeof jobAccount>>;
let purger: Awaited<ReturnType<typeof jobAccount>>;
let room: string;
let foreign: string;
/** The file whose time says since when messages have this lifetime. */
let lifetimes: string;
let chatter: NodeJS.Timeout;

beforeAll(async () => {
  const retention = {
    enabled: true,
    default_policy: { max_lifetime: `${WINDOW}s` },
    purge_jobs: [{ interval: "1d" }],
  };
  [here, there] = await Promise.all([
    startReachable({ retention, federation: IMPATIENT }),
    startReachable({ federation: IMPATIENT }),
  ]);
  const local = (name: string, admin = false) => makeUser(here.homeserver, name, admin);
  const [admin, alice, carol, dave, frank, bob, erin] = await Promise.all([
    local("hearth", true),
    local("alice"),
    local("carol"),
    local("dave"),
    local("frank"),
    makeUser(there.homeserver, "bob"),
    makeUser(there.homeserver, "erin"),
  ]);
  people = { admin, alice, carol, dave, frank, bob, erin };
  bot = await jobAccount(here.homeserver, "hearth-inactivity", false);
  purger = await jobAccount(here.homeserver, "hearth-maintenance", true);
  room = await watchedRoom("main", "Main chat");
  foreign = await admin.createRoom({ preset: "public_chat" });
  for (const user of [bot.user, carol]) await user.join(foreign);
  lifetimes = path.join(bot.folder, "lifetimes.json");
  await fs.writeFile(lifetimes, "{}");
  await fs.utimes(lifetimes, 0, 0);
  // If nobody is seen for half of the window, the bot doubts the clock. So somebody writes, in a separate room: messages that are
  // older than their lifetime and not purged yet are hidden, but state next to them is not, which looks like a missing event.
  const lobby = await admin.createRoom({
    preset: "public_chat",
    name: "Lobby",
    creation_content: { [KEY]: "lobby" },
    power_level_content_override: { users: { [bot.user.id]: 50 } },
  });
  const grace = await local("grace");
  for (const user of [bot.user, grace]) await user.join(lobby);
  chatter = setInterval(() => void grace.send(lobby, "still here").catch(() => {}), 2000);
  await pause(WINDOW + 1);
});

afterAll(async () => {
  clearInterval(chatter);
  await Promise.all([here?.stop(), there?.stop()]);
});

/** A room like those of Hearth: with its key, and with the bot as a member that has only the power to remove members. */
async function watchedRoom(key: string, name: string): Promise<string> {
  const { admin, frank: _late, ...others } = people;
  const made = await admin.createRoom({
    preset: "public_chat",
    name,
    creation_content: { [KEY]: key },
    power_level_content_override: { users: { [bot.user.id]: 50 } },
  });
  for (const user of [bot.user, ...Object.values(others)]) await user.join(made, here.homeserver.serverName);
  return made;
}

/** Alice writes, Dave only reads, Frank writes after joining, Erin writes in another room; waits until all has arrived. */
async function signsOfLife(): Promise<void> {
  const read = await people.alice.send(room, "good morning");
  await people.dave.readUpTo(room, read);
  if ((await people.alice.members(room)).includes(people.frank.id)) await people.frank.send(room, "morning");
  const theirs = await people.erin.send(room, "good evening");
  const target = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/event/${encodeURIComponent(theirs)}`;
  expect(await eventually(async () => (await people.alice.call("GET", target)).status === 200, 60)).toBe(
    true,
  );
}

const look = (...args: string[]) =>
  runJob("inactivity/inactivity.py", [
    ...bot.args,
    ...["--window", `${WINDOW}`, "--max-lifetime", `${WINDOW}`, "--max-removals", "5", "--settle", "1"],
    ...["--kept-since", lifetimes, ...(args.includes("--room") ? [] : ["--room", "main"])],
    ...["--room", "lobby"],
    ...args,
  ]);

/** The users below each title of a report. */
function sections(report: string): Record<string, string[]> {
  const blocks = report.split("\n\n").map((block) => block.split("\n"));
  return Object.fromEntries(
    blocks.map(([title = "", ...lines]) => [
      title.replace(/[:( ].*$/, ""),
      lines.flatMap((line) => /^ {2}(@[a-z-]+)/.exec(line)?.[1] ?? []).sort(),
    ]),
  );
}

test("[H11] a dry run reports who is inactive, active, unknown and exempt, and removes nobody", async () => {
  await signsOfLife();
  await people.frank.join(room);
  const before = await people.admin.members(room);
  const { status, output } = await look();
  expect(status).toBe(0);
  expect(sections(output)).toMatchObject({
    Inactive: ["@bob", "@carol"],
    Unknown: ["@frank"],
    Exempt: ["@hearth", "@hearth-inactivity"],
    Active: ["@alice", "@dave", "@erin", "@grace"],
  });
  expect(output).toContain("Dry run: nobody was removed.");
  expect(output).toMatch(/@carol:\S+ {2}last seen: .*; would be removed from Main chat$/m);
  expect(await people.admin.members(room)).toEqual(before);
});

test("[H11] the report is a file for people and contains no secret, and the account keeps no token", async () => {
  const reports = (await fs.readdir(bot.folder)).filter((name) => name.startsWith("report-"));
  expect(reports).toEqual([expect.stringMatching(/^report-\d{4}-\d\d-\d\d\.txt$/)]);
  const text = await fs.readFile(path.join(bot.folder, reports[0] ?? ""), "utf8");
  expect(text).toMatch(new RegExp(`^Members not seen for ${WINDOW} seconds, looked at `));
  expect(text).toMatch(/^ {2}Main chat: 8 members, history complete$/m);
  expect(text).not.toContain(bot.user.password);
  const target = `/_synapse/admin/v2/users/${encodeURIComponent(bot.user.id)}/devices`;
  const devices: { device_id: string }[] = (await people.admin.must("GET", target)).devices;
  expect(devices.map(({ device_id }) => device_id)).not.toContain("HEARTH_INACTIVITY");
});

test("[H11] above the limit, nobody is removed", async () => {
  await signsOfLife();
  const before = await people.admin.members(room);
  const { output } = await look("--remove", "--max-removals", "1");
  expect(output).toContain(
    "NOBODY is removed: 2 members would be removed, more than maxRemovals allows in one run (1).",
  );
  expect(await people.admin.members(room)).toEqual(before);
});

test("[H11] a member whose server does not answer is unknown, because their messages may arrive later", async () => {
  await signsOfLife();
  await there.cut();
  try {
    const { output } = await look();
    expect(sections(output).Inactive).toEqual(["@carol"]);
    expect(output).toMatch(/@bob:\S+ {2}.*their server does not answer/);
  } finally {
    await there.reconnect();
  }
});

test("[H11] the rooms and exemptions of the stack file apply", async () => {
  await signsOfLife();
  const other = await look("--room", "elsewhere");
  expect(other.output).toContain("  elsewhere: NOT looked at: the bot is not in it");
  await signsOfLife();
  const exempted = await look("--room", "main", "--exempt", people.carol.id);
  expect(sections(exempted.output)).toMatchObject({ Inactive: ["@bob"] });
  expect(exempted.output).toMatch(/@carol:\S+ .*exempt by the stack file/);
});

test("[H8] [H11] inactivity is still proved after the purge, and a run with --remove removes only the inactive members", async () => {
  const purge = ["--interval", "60", "--max-lifetime", `${WINDOW}`];
  expect((await runJob("maintenance/retention.py", [...purger.args, ...purge])).output).toContain(
    `messages: ${room} purged`,
  );
  await signsOfLife();
  // The bot cannot know the messages of a room that it must watch and is not in.
  const blind = await look("--remove", "--room", "main", "--room", "games");
  expect(blind.output).toContain("NOBODY is removed: the bot is not in games");
  await signsOfLife();
  const frankSays = await people.frank.send(room, "new here");
  await people.frank.readUpTo(room, frankSays);
  const { status, output } = await look("--remove");
  expect(status).toBe(0);
  expect(output).toMatch(/@carol:\S+ .*; removed from Main chat$/m);
  expect(output).toMatch(/@bob:\S+ .*; removed from Main chat$/m);
  const left = (await people.admin.members(room)).map((id) => id.split(":")[0]).sort();
  expect(left).toEqual(["@alice", "@dave", "@erin", "@frank", "@hearth", "@hearth-inactivity"]);
  // Not a room of Hearth.
  expect(await people.admin.members(foreign)).toContain(people.carol.id);
});

test("[H11] a removed member reads how to join again, and can", async () => {
  const target = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/state/m.room.member/${encodeURIComponent(people.carol.id)}`;
  expect((await people.admin.must("GET", target)).reason).toMatch(
    new RegExp(`^Not seen for ${WINDOW} seconds\\. You are welcome back: join again`),
  );
  await people.carol.join(room);
  expect(await people.admin.members(room)).toContain(people.carol.id);
});

test("[H11] history that the bot cannot see proves nothing", async () => {
  const closed = await people.admin.createRoom({
    name: "Closed",
    preset: "public_chat",
    creation_content: { [KEY]: "closed" },
    initial_state: [
      { type: "m.room.history_visibility", state_key: "", content: { history_visibility: "joined" } },
    ],
    power_level_content_override: { users: { [bot.user.id]: 50 } },
  });
  await people.dave.join(closed);
  await people.alice.join(closed);
  await pause(WINDOW + 1);
  await bot.user.join(closed);
  const { output } = await look("--room", "closed", "--remove");
  expect(sections(output)).toMatchObject({ Inactive: [], Unknown: ["@alice", "@dave"] });
  expect(output).toMatch(/Closed: 4 members, NOT complete: the bot is not in it for a whole window yet/);
});

test("[H11] a member who writes in the new room after an upgrade is not inactive", async () => {
  const old = await watchedRoom("old", "Old");
  const upgrade = `/_matrix/client/v3/rooms/${encodeURIComponent(old)}/upgrade`;
  const { replacement_room: next } = await people.admin.must("POST", upgrade, { new_version: "11" });
  await people.alice.join(next);
  await pause(WINDOW + 1);
  await people.alice.send(next, "here I am");
  const { output } = await look("--room", "old", "--remove");
  expect(output).toContain(`Old: 7 members, NOT complete: it was upgraded and goes on as ${next}`);
  expect(sections(output)).toMatchObject({ Inactive: [], Unknown: expect.arrayContaining(["@alice"]) });
  expect(await people.admin.members(old)).toContain(people.alice.id);
});
