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

/** Lifetime of messages and media in these tests, in seconds. */
const LIFETIME = 4;
const INTERVAL = ["--interval", "3600"];

let here: Reachable;
let there: Reachable;
let alice: User;
let bob: User;
let admin: User;
let job: Awaited<ReturnType<typeof jobAccount>>;

beforeAll(async () => {
  // Synapse's own purge job would run after the end of this test, like on a host that is off every night.
  const retention = {
    enabled: true,
    default_policy: { max_lifetime: `${LIFETIME}s` },
    purge_jobs: [{ interval: "1d" }],
  };
  [here, there] = await Promise.all([
    startReachable({ retention }),
    startReachable({ federation: IMPATIENT }),
  ]);
  [admin, alice, bob] = await Promise.all([
    makeUser(here.homeserver, "admin", true),
    makeUser(here.homeserver, "alice"),
    makeUser(there.homeserver, "bob"),
  ]);
  job = await jobAccount(here.homeserver, "hearth-maintenance", true);
});

afterAll(async () => {
  await Promise.all([here?.stop(), there?.stop()]);
});

/** Bodies of all messages in the database, visible or not. */
async function stored(room: string): Promise<string[]> {
  const target = `/_synapse/admin/v1/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=100`;
  const events: { type: string; content: { body: string } }[] = (await admin.must("GET", target)).chunk;
  return events.filter(({ type }) => type === "m.room.message").map(({ content }) => content.body);
}

async function upload(user: User, name: string): Promise<string> {
  const response = await user.must("POST", `/_matrix/media/v3/upload?filename=${name}`, { name });
  return response.content_uri.slice("mxc://".length);
}

const freshFolder = async () => {
  await fs.rm(path.join(job.folder, "retention.json"), { force: true });
};

async function devices(user: User): Promise<number> {
  const target = `/_synapse/admin/v2/users/${encodeURIComponent(user.id)}/devices`;
  return (await admin.must("GET", target)).total;
}

describe("retention", () => {
  const lifetime = ["--max-lifetime", `${LIFETIME}`];

  test("[H8] purges messages and media that are too old, although Synapse has just started, and leaves no token", async () => {
    const room = await alice.createRoom();
    const before = await devices(job.user);
    for (const text of ["one", "two", "three"]) await alice.send(room, text);
    await pause(LIFETIME + 1);
    await alice.send(room, "young");
    expect(await stored(room)).toHaveLength(4);
    const { status, output } = await runJob("maintenance/retention.py", [
      ...job.args,
      ...INTERVAL,
      ...lifetime,
    ]);
    expect([status, output]).toEqual([
      0,
      expect.stringContaining(`messages: ${room} purged of those before`),
    ]);
    expect(await stored(room)).toEqual(["young"]);
    expect(await devices(job.user)).toBe(before);
    expect(await fs.readFile(path.join(job.folder, "log"), "utf8")).toContain("rooms purged");
  });

  test("[H8] does nothing within an interval, and purges again after it", async () => {
    const again = () => runJob("maintenance/retention.py", [...job.args, ...INTERVAL, ...lifetime]);
    expect((await again()).output).toBe("nothing to do: all was purged less than an interval ago\n");
    await pause(1.1);
    const later = await runJob("maintenance/retention.py", [...job.args, "--interval", "1", ...lifetime]);
    expect(later.output).toMatch(/messages: \d+ rooms purged/);
  });

  test("[H8] a room's own lifetime applies within the limits of the server", async () => {
    await freshFolder();
    const [long, short] = [await alice.createRoom(), await alice.createRoom()];
    await alice.setState(long, "m.room.retention", { max_lifetime: 3_600_000 });
    await alice.setState(short, "m.room.retention", { max_lifetime: 1 });
    for (const room of [long, short]) for (const text of ["one", "two"]) await alice.send(room, text);
    await pause(LIFETIME + 1);
    const allowed = (min: number, max: number) => ["--allowed-min", `${min}`, "--allowed-max", `${max}`];
    await runJob("maintenance/retention.py", [...job.args, ...INTERVAL, ...lifetime, ...allowed(3600, 7200)]);
    expect([await stored(long), await stored(short)]).toEqual([
      ["two", "one"],
      ["two", "one"],
    ]);
    await freshFolder();
    await runJob("maintenance/retention.py", [...job.args, ...INTERVAL, ...lifetime, ...allowed(1, 7200)]);
    expect([await stored(long), await stored(short)]).toEqual([["two", "one"], ["two"]]);
    await freshFolder();
    await runJob("maintenance/retention.py", [
      ...job.args,
      ...INTERVAL,
      ...lifetime,
      ...allowed(1, LIFETIME),
    ]);
    expect([await stored(long), await stored(short)]).toEqual([["two"], ["two"]]);
  });

  test("[H8] removes local and remote media, but not an avatar", async () => {
    await freshFolder();
    const [picture, avatar, theirs] = [
      await upload(alice, "picture"),
      await upload(alice, "avatar"),
      await upload(bob, "theirs"),
    ];
    const profile = `/_matrix/client/v3/profile/${encodeURIComponent(alice.id)}/avatar_url`;
    await alice.must("PUT", profile, { avatar_url: `mxc://${avatar}` });
    const download = async (media: string, query = "") =>
      (
        await fetch(`${alice.url}/_matrix/client/v1/media/download/${media}${query}`, {
          headers: { Authorization: `Bearer ${alice.accessToken}` },
        })
      ).status;
    expect(await Promise.all([picture, avatar, theirs].map((media) => download(media)))).toEqual([
      200, 200, 200,
    ]);
    // Synapse records accesses once a minute; the job uses these records.
    const media = ["--local-media", "1", "--remote-media", "1"];
    await pause(2);
    const { status, output } = await runJob("maintenance/retention.py", [...job.args, ...INTERVAL, ...media]);
    expect(status).toBe(0);
    expect(output).toMatch(/^local media: 1 files not accessed since/m);
    expect(output).toMatch(/^remote media: 1 files not accessed since/m);
    await there.cut();
    expect(
      await Promise.all([picture, avatar, theirs].map((one) => download(one, "?timeout_ms=100"))),
    ).toEqual([404, 200, expect.any(Number)]);
    await there.reconnect();
  });

  test("[H8] a clock that leapt years ahead purges nothing at first", async () => {
    const room = await alice.createRoom();
    await alice.send(room, "kept");
    const day = 86_400;
    const records = { seen: Date.now() / 1000 - 30 * day, doubt: null, done: {} };
    await fs.writeFile(path.join(job.folder, "retention.json"), JSON.stringify(records));
    const once = () => runJob("maintenance/retention.py", [...job.args, ...INTERVAL, ...lifetime]);
    expect((await once()).output).toMatch(/^nothing purged: the clock leapt to 20/);
    expect((await once()).output).toMatch(/messages: \d+ rooms purged/);
  });

  test("[H10] a wrong password is reported, but not shown", async () => {
    await freshFolder();
    const file = path.join(job.folder, "wrong");
    await fs.writeFile(file, "hunter2\n");
    const args = [...job.args, ...INTERVAL, ...lifetime, "--password-file", file];
    const { status, output } = await runJob("maintenance/retention.py", args);
    expect(status).toBe(1);
    expect(output).toMatch(/refuses the password of hearth-maintenance; was it changed by hand\?/);
    expect(output).not.toMatch(/hunter2|Traceback/);
  });
});

describe("wake", () => {
  test("[H15] messages that a partner sent while we were off arrive within seconds after the wake, and not before", async () => {
    const room = await bob.createRoom({ invite: [alice.id], preset: "private_chat" });
    const joined = await eventually(
      async () =>
        (
          await alice.call(
            "POST",
            `/_matrix/client/v3/join/${encodeURIComponent(room)}?via=${encodeURIComponent(there.homeserver.serverName)}`,
            {},
          )
        ).status === 200,
    );
    expect(joined).toBe(true);
    const arrived = async (text: string) => (await stored(room)).includes(text);
    await bob.send(room, "before");
    expect(await eventually(() => arrived("before"))).toBe(true);
    await here.cut();
    await bob.send(room, "meanwhile");
    const backingOff = async () => {
      const target = `/_synapse/admin/v1/federation/destinations/${encodeURIComponent(here.homeserver.serverName)}`;
      return (await thereAdmin.must("GET", target)).retry_interval > 0;
    };
    const thereAdmin = await makeUser(there.homeserver, "admin", true);
    expect(await eventually(backingOff, 120)).toBe(true);
    await here.reconnect();
    await pause(5);
    expect(await arrived("meanwhile")).toBe(false);
    const { status, output } = await runJob("maintenance/wake.py", [...job.args, "--rounds", "0"]);
    expect([status, output]).toEqual([0, "wake: 1 of 1 servers know that we are back\n"]);
    expect(await eventually(() => arrived("meanwhile"), 60)).toBe(true);
  });

  test("[H15] a server that does not answer is named, and the job succeeds", async () => {
    await there.cut();
    const { status, output } = await runJob("maintenance/wake.py", [...job.args, "--rounds", "0"]);
    expect(status).toBe(0);
    expect(output).toBe(
      `wake: 0 of 1 servers know that we are back; no answer from ${there.homeserver.serverName}\n`,
    );
    await there.reconnect();
  });
});

describe("the monthly cleaning", () => {
  const DAYS_AGO = new Date(Date.now() - 2 * 86_400_000);

  async function storeWith(files: Record<string, string>, folders: string[]): Promise<string> {
    const store = await fs.mkdtemp(path.join(job.folder, "media-"));
    for (const folder of folders) await fs.mkdir(path.join(store, folder), { recursive: true });
    for (const [name, content] of Object.entries(files)) await fs.writeFile(path.join(store, name), content);
    return store;
  }

  async function age(folder: string): Promise<void> {
    for (const entry of await fs.readdir(folder, { withFileTypes: true, recursive: true }))
      if (entry.isDirectory()) await fs.utimes(path.join(entry.parentPath, entry.name), DAYS_AGO, DAYS_AGO);
  }

  test("[H10] removes only old empty folders, follows no link, and keeps the store's first level", async () => {
    const outside = await fs.mkdtemp(path.join(job.folder, "outside-"));
    await fs.mkdir(path.join(outside, "empty"));
    const store = await storeWith({ "local_content/AB/CD/file": "x" }, [
      "local_content/AB/CD",
      "local_content/AB/EF",
      "remote_content/example.org/aa/bb",
      "remote_thumbnail",
    ]);
    await fs.symlink(outside, path.join(store, "local_content", "link"));
    await age(store);
    await age(outside);
    await fs.mkdir(path.join(store, "local_content", "young"));
    const { status, output } = await runJob("maintenance/clean.py", [...job.args, "--media", store]);
    expect([status, output]).toEqual([0, "media store: 4 empty folders removed\n"]);
    const left = await fs.readdir(store, { recursive: true });
    // Reading the whole tree follows the link.
    expect(left.filter((name) => name !== "local_content/link/empty").sort()).toEqual([
      "local_content",
      "local_content/AB",
      "local_content/AB/CD",
      "local_content/AB/CD/file",
      "local_content/link",
      "local_content/young",
      "remote_content",
      "remote_thumbnail",
    ]);
    expect(await fs.readdir(outside)).toEqual(["empty"]);
  });

  test("[H10] removes old media of other servers if an age is given", async () => {
    const store = await storeWith({}, []);
    const { status, output } = await runJob("maintenance/clean.py", [
      ...job.args,
      ...["--media", store, "--remote-media", "31536000"],
    ]);
    expect([status, output]).toEqual([0, expect.stringMatching(/^remote media: 0 files not accessed since/)]);
  });
});
