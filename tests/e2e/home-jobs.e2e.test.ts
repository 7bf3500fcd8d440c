import { downHost, onHost, rebootHost } from "../../sandbox";
import { upTailnet } from "../../sandbox/tailnet";
import { ApplicationService } from "../support/application-service";
import { HomeServer } from "../support/home-server";
import { eventually, pause } from "../support/jobs";
import { HOME_SOCKET, NATIVE_SOCKET } from "../support/synapse-socket";
import { VpsServer } from "../support/vps-server";

const [NET, HOME, PARTNER] = ["e2e-jobs-net", "e2e-home-jobs", "e2e-jobs-partner"];
const DOMAIN = "tail4e04.ts.net";
/** The registration file of the test's application service. */
const ON_HOME = "~/.local/share/hearth/homeserver/application-service.yaml";
const IN_CONTAINER = "/data/application-service.yaml";
const ON_PARTNER = "/etc/hearth-e2e-application-service.yaml";
/** Longer than the bot's window of 14 days. */
const LONG_AGO = new Date(Date.now() - 20 * 86_400_000);
/** Shortened lifetime of messages and interval of purges, seconds. */
const SHORT = 60;
/** Seconds until the server answers again after a reboot. */
const BACK = 180;
/** Seconds from a boot to the purge, if a test cannot wait for it. */
const SOON = 20;
const TIMES = "~/.config/systemd/user/hearth-retention.timer.d";
/** The maximum delay of a cleaning. */
const HALF_AN_HOUR = 1800;

let home: HomeServer;
let partner: VpsServer;
let here: ApplicationService;
let there: ApplicationService;
let rooms: Record<"home" | "main", string>;

beforeAll(async () => {
  const [tailnet, made] = await Promise.all([
    upTailnet({ name: NET, domain: DOMAIN, nodes: [HOME] }),
    VpsServer.make(PARTNER),
  ]);
  partner = made;
  const { serverName, publicHost, host } = partner;
  [home] = await Promise.all([
    HomeServer.make(HOME, { tailnet, partner: { serverName, publicHost, address: host.address } }),
    upPartner(`${HOME}.${DOMAIN}`),
  ]);
  [here, there] = [new ApplicationService(home, HOME_SOCKET), new ApplicationService(partner, NATIVE_SOCKET)];
  await upHome();
  await everybodyJoins();
});

afterAll(async () => {
  await Promise.all([home?.remove(), partner?.remove(), downHost(NET)]);
});

async function upPartner(friend: string): Promise<void> {
  await write(partner, "root", ON_PARTNER, ApplicationService.registration(partner.serverName));
  await partner.edit({
    "homeserver.federation.allowlist": [friend],
    "homeserver.extra.app_service_config_files": [ON_PARTNER],
    "accounts.bob": { displayName: "Bob" },
    "verification.partner": undefined,
  });
  await partner.up();
}

async function upHome(): Promise<void> {
  await home.asUser(`mkdir -p "$(dirname ${ON_HOME})"`);
  await write(home, "debian", ON_HOME, ApplicationService.registration(home.serverName));
  const people = ["alice", "carol", "dave"];
  await home.edit({
    "homeserver.extra.app_service_config_files": [IN_CONTAINER],
    "accounts.carol": { displayName: "Carol" },
    "accounts.dave": { displayName: "Dave" },
    "rooms.spaces.home.members": people,
    "rooms.rooms.main.members": people,
    // Otherwise the bot could not read events before it joined, and in a test it joins today, after the old events.
    "rooms.rooms.main.historyVisibility": "shared",
    // So that the cleaning needs its login.
    "maintenance.remoteMedia": "7d",
  });
  await home.up();
  rooms = (await home.outputs()).roomIds as typeof rooms;
}

async function write(server: HomeServer | VpsServer, user: string, file: string, text: string) {
  const { code, stderr } = await onHost(server.host, [`cat >${file} && chmod 0644 ${file}`], {
    user,
    input: text,
  });
  if (code !== 0) throw new Error(stderr);
}

/** The stack's own users have joined already. */
async function everybodyJoins(): Promise<void> {
  for (const name of ["alice", "bob"]) {
    await here.invite("alice", rooms.home, `@${name}:${partner.serverName}`);
    for (const room of [rooms.home, rooms.main]) await there.join(name, room, home.serverName);
  }
}

const local = (name: string) => `@${name}:${home.serverName}`;
const foreign = (name: string) => `@${name}:${partner.serverName}`;

async function query(sql: string): Promise<string> {
  const psql = "podman exec -i hearth-postgres psql --username=postgres --no-password --dbname=synapse -tA";
  const { code, stdout, stderr } = await onHost(home.host, [psql], { user: "debian", input: sql });
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

const start = (name: string) => home.asUser(`systemctl --user start ${name}.service`);

/** The record of maintenance. */
const log = () => home.asUser("cat ~/.local/share/hearth/maintenance/log");

/** Seconds until the timer of a job starts it. */
async function startsIn(name: string): Promise<number> {
  const listed = await home.asUser(`systemctl --user list-timers --output=json ${name}.timer`);
  const [timer] = JSON.parse(listed) as { next: number; activates: string }[];
  expect(timer?.activates).toBe(`${name}.service`);
  return (timer?.next ?? 0) / 1e6 - Date.now() / 1000;
}

/** Devices and tokens of an account in the database. */
const leftOf = (account: string) =>
  query(
    `SELECT device_id FROM devices WHERE user_id = '${local(account)}' AND NOT hidden
     UNION ALL SELECT device_id FROM access_tokens WHERE user_id = '${local(account)}'`,
  );

describe("the monthly cleaning", () => {
  test.each([
    ["H10", "hearth-maintenance"],
    ["H11", "hearth-inactivity"],
  ])("[%s] %s is on, and is caught up with after downtime", async (_, name) => {
    const shown = `systemctl --user show ${name}.timer -P UnitFileState -P ActiveState -P Persistent`;
    expect(
      (await home.asUser(shown))
        .split("\n")
        .filter((line) => line !== "")
        .sort(),
    ).toEqual(["active", "enabled", "yes"]);
    expect(await home.asUser(`systemctl --user show ${name}.timer -P TimersCalendar`)).toContain(
      "OnCalendar=*-*-01 00:00:00",
    );
    expect(await startsIn(name)).toBeGreaterThan(0);
    // As if its last run was before the host was off at the start of the month.
    const stamp = `~/.local/share/systemd/timers/stamp-${name}.timer`;
    await home.asUser(
      `systemctl --user stop ${name}.timer && test -e ${stamp} && touch -d '40 days ago' ${stamp} &&
       systemctl --user start ${name}.timer`,
    );
    expect(await startsIn(name)).toBeLessThan(HALF_AN_HOUR);
    // Not at the same time as the following tests.
    await home.asUser(
      `systemctl --user stop ${name}.timer && touch ${stamp} && systemctl --user start ${name}.timer`,
    );
  });

  test("[H10] reports the disk usage before and after, and leaves no token of its account", async () => {
    // The job that was started at boot: if it is interrupted, it logs out like the others.
    await home.asUser("systemctl --user stop hearth-wake.service");
    expect(await eventually(async () => (await leftOf("hearth-maintenance")) === "")).toBe(true);
    await start("hearth-maintenance");
    expect(await eventually(async () => (await log()).includes("disk use after"))).toBe(true);
    expect(await log()).toMatch(
      /disk use before: media \d+ MiB, database [1-9]\d* MiB[\s\S]*remote media: 0 files not accessed since[\s\S]*disk use after: media \d+ MiB, database [1-9]\d* MiB/,
    );
    // The purge, which its timer starts three minutes after the boot, uses the same account.
    expect(await eventually(async () => (await leftOf("hearth-maintenance")) === "")).toBe(true);
  });
});

describe("the bot, with the stack's own rooms and two real servers", () => {
  const REPORTS = "~/.local/share/hearth/inactivity/report-*.txt";
  const latest = () => home.asUser(`cat "$(ls -t ${REPORTS} | head -n 1)"`);
  const everybody = () => [
    ...["alice", "carol", "dave", "hearth", "hearth-inactivity"].map(local),
    ...["alice", "bob"].map(foreign),
  ];

  /** The user IDs below a title in the report. */
  function below(report: string, title: string): string[] {
    const block = report.split("\n\n").find((text) => text.startsWith(title)) ?? "";
    return block
      .split("\n")
      .flatMap((line) => /^ {2}(@\S+)/.exec(line)?.[1] ?? [])
      .sort();
  }

  beforeAll(async () => {
    // A test cannot wait two weeks, and Synapse detects changed times in its database. So members change their names at an
    // old time, as application services may: the event is real, signed, and delivered like any other.
    for (const room of Object.values(rooms)) {
      for (const name of ["carol", "hearth-inactivity"]) await here.renamed(name, room, LONG_AGO);
      await there.renamed("bob", room, LONG_AGO);
    }
    const message = await there.send("alice", rooms.main, "still here");
    const arrived = () => query(`SELECT count(*) FROM events WHERE event_id = '${message}'`);
    expect(await eventually(async () => (await arrived()) === "1", 120)).toBe(true);
  });

  test("[H11] a dry run, the default, names the inactive members of both servers, and removes nobody", async () => {
    await start("hearth-inactivity");
    const report = await latest();
    expect(report).toContain("Members not seen for 14 days");
    expect(report).toContain("Dry run: nobody was removed.");
    expect(below(report, "Inactive")).toEqual([foreign("bob"), local("carol")].sort());
    expect(below(report, "Active")).toEqual([foreign("alice")]);
    expect(below(report, "Unknown")).toEqual([local("dave")]);
    expect(report).toContain(LONG_AGO.toISOString().slice(0, 10));
    expect(await here.members("alice", rooms.main)).toEqual(everybody().sort());
  });

  test("[H11] with dryRun false it removes them from all rooms; active and unknown members stay", async () => {
    await home.edit({ "inactivity.dryRun": false });
    await home.up();
    await start("hearth-inactivity");
    const report = await latest();
    expect(report).not.toContain("Dry run");
    for (const user of [local("carol"), foreign("bob")])
      expect(report).toMatch(new RegExp(`  ${user} .*; removed from Home; removed from Main chat$`, "m"));
    const left = everybody().filter((user) => user !== local("carol") && user !== foreign("bob"));
    for (const room of [rooms.home, rooms.main])
      expect(await here.members("alice", room)).toEqual(left.sort());
    const seenThere = async () => (await there.members("alice", rooms.main)).includes(foreign("bob"));
    expect(await eventually(async () => !(await seenThere()), 120)).toBe(true);
  });

  test("[H11] the reports are files of the login user, one for each run", async () => {
    const listed = await home.asUser(`stat -c '%U %a' ${REPORTS}`);
    expect(listed).toMatch(/^(debian 6[04][04]\n){2}$/);
    expect(await leftOf("hearth-inactivity")).toBe("");
  });
});

describe("messages and media live for a minute, on a host that reboots before the interval of purges has passed", () => {
  beforeAll(async () => {
    const time = `${SHORT}s`;
    await home.edit({
      // Its window would be longer than the lifetime of messages.
      inactivity: undefined,
      "homeserver.retention": { maxLifetime: time, purgeInterval: time },
      "homeserver.media.localLifetime": time,
    });
    await home.up();
  });

  const ids = (events: string[]) => events.map((id) => `'${id}'`).join(", ");
  const rows = async (events: string[]) =>
    Number(
      await query(
        `SELECT count(*) FROM events JOIN event_json USING (event_id) WHERE event_id IN (${ids(events)})`,
      ),
    );
  const mediumThere = (id: string) => {
    const [, first, second, rest] = /^(..)(..)(.+)$/.exec(id) ?? [];
    const file = `~/.local/share/hearth/homeserver/media/local_content/${first}/${second}/${rest}`;
    return home.asUser(`test -e ${file} && echo there || echo gone`);
  };

  async function reboot(): Promise<void> {
    await rebootHost(HOME);
    await home.secondsUntilAnswering(BACK);
  }

  test("[H8] they are removed from database and disk by the purge after a boot", async () => {
    const sent: string[] = [];
    for (const text of ["one", "two", "three"]) sent.push(await here.send("alice", rooms.main, text));
    const medium = await here.upload("alice", "picture");
    const sentAt = performance.now();
    const age = () => (performance.now() - sentAt) / 1000;
    await reboot();
    await pause(Math.max(0, SHORT / 2 - age()));
    await reboot();
    await pause(Math.max(0, SHORT + 1 - age()));
    await rebootHost(HOME);
    // They are old enough now, and Synapse itself, whose wait restarts with each start, has not purged them. The database is asked
    // as soon as it answers: on a busy machine Synapse's own minute may be over before the tunnel answers.
    const left = async () => rows(sent).catch(() => undefined);
    expect(await eventually(async () => (await left()) !== undefined, BACK)).toBe(true);
    expect(await left()).toBe(sent.length);
    expect(await mediumThere(medium)).toBe("there\n");
    await home.secondsUntilAnswering(BACK);
    const wait = await startsIn("hearth-retention");
    expect([wait > 0, wait < 180]).toEqual([true, true]);
    // The last event of a room is never purged: the next one needs it.
    const young = await here.send("alice", rooms.main, "young");
    // The same timer, but not three minutes after boot: Synapse's own interval would have passed by then.
    await home.asUser(`mkdir ${TIMES}`);
    await write(home, "debian", `${TIMES}/soon.conf`, `[Timer]\nOnBootSec=\nOnBootSec=${SOON}\n`);
    const purges = async () => (await log()).split(`messages: ${rooms.main} purged of those before`).length;
    const before = await purges();
    await reboot();
    expect(await eventually(async () => (await rows(sent)) === 0, 2 * SHORT)).toBe(true);
    // It reports only the events that it found itself.
    expect(await eventually(async () => (await purges()) > before)).toBe(true);
    expect(await eventually(async () => (await mediumThere(medium)) === "gone\n")).toBe(true);
    expect(await rows([young])).toBe(1);
  });
});
