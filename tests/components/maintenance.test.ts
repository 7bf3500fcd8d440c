import { maintenanceSpecs } from "../../components/maintenance/spec";
import { homeserverSchema } from "../../config-schemas/homeserver/schema";
import { maintenanceSchema } from "../../config-schemas/maintenance/schema";
import { userPlaces } from "../../runtimes/places";
import { CONTAINED } from "../config-schemas/rules/maintenance";
import { faultsOf, stackWith } from "../config-schemas/support";
import { askModule } from "../support/ask-module";
import { inContainers, jobHostOf } from "../support/rendered";

const HOME = "/home/alice";
const CONTAINERS = `${HOME}/.config/containers/systemd`;
const UNITS = `${HOME}/.config/systemd/user`;
const RECORDS = `${HOME}/.local/share/hearth/maintenance`;

const PLACES = userPlaces({ user: "alice", group: "alice", uid: 1000, home: HOME });
const SERVER = { host: "home", serverName: "home.test", publicHost: "home.test", version: "1.163.2" };

function partsOf(homeserver: object = {}, maintenance: object = {}) {
  const disk = {
    media: `${HOME}/.local/share/hearth/homeserver/media`,
    database: `${HOME}/.local/share/hearth/postgres`,
  };
  const specs = maintenanceSpecs(
    maintenanceSchema.parse({ host: "home", ...maintenance }),
    homeserverSchema.parse({ ...SERVER, ...homeserver }),
    disk,
    jobHostOf(PLACES),
  );
  return inContainers(PLACES, ...specs);
}

/** A value of a unit file; the first one if there are several. */
function option(parts: ReturnType<typeof partsOf>, path: string, key: string): string | undefined {
  // A command can be on several lines.
  const lines = parts.files[path]?.content.replaceAll(" \\\n  ", " ").split("\n") ?? [];
  return lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1);
}

const values = (parts: ReturnType<typeof partsOf>, path: string, key: string) =>
  (parts.files[path]?.content.split("\n") ?? [])
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));

it("[H8] the purge gets the lifetimes of the stack file in seconds, after boot and every interval", () => {
  const parts = partsOf({
    retention: { maxLifetime: "14d", allowedMin: "1d", allowedMax: "30d", purgeInterval: "1h" },
    media: { remoteLifetime: "2w", localLifetime: "90d" },
  });
  const container = `${CONTAINERS}/hearth-retention.container`;
  expect(option(parts, container, "Exec")).toBe(
    "-B /programs/retention.py --socket /run/hearth-synapse/synapse.sock --user hearth-maintenance --password-file /password " +
      "--folder /records --interval 3600 --max-lifetime 1209600 --allowed-min 86400 --allowed-max 2592000 " +
      "--local-media 7776000 --remote-media 1209600",
  );
  const timer = `${UNITS}/hearth-retention.timer`;
  expect([option(parts, timer, "OnBootSec"), option(parts, timer, "OnUnitInactiveSec")]).toEqual([
    "180",
    "3600",
  ]);
});

it("[H8] without any lifetime there is no purge job", () => {
  expect(Object.keys(partsOf().units).sort()).toEqual(["hearth-maintenance.timer", "hearth-wake.timer"]);
  const media = partsOf({ media: { localLifetime: "30d" } });
  expect(option(media, `${CONTAINERS}/hearth-retention.container`, "Exec")).toMatch(
    /--interval 3600 --local-media 2592000$/,
  );
});

it("[H10] the cleaning runs every month, and after downtime, and deletes media only if an age is given", () => {
  const parts = partsOf({ media: { remoteLifetime: "14d" } });
  const timer = `${UNITS}/hearth-maintenance.timer`;
  expect(option(parts, timer, "OnCalendar")).toBe("monthly");
  expect(option(parts, timer, "Persistent")).toBe("true");
  expect(Number(option(parts, timer, "RandomizedDelaySec"))).toBeGreaterThan(0);
  expect(option(parts, `${CONTAINERS}/hearth-maintenance.container`, "Exec")).toMatch(/--media \/media$/);
  const aged = partsOf({}, { remoteMedia: "90d", schedule: "Sun 05:00" });
  expect(option(aged, `${CONTAINERS}/hearth-maintenance.container`, "Exec")).toMatch(
    /--remote-media 7776000$/,
  );
  expect(option(aged, timer, "OnCalendar")).toBe("Sun 05:00");
});

it("[H10] the host writes the disk use before and after the cleaning into its log", () => {
  const dropIn = `${UNITS}/hearth-maintenance.service.d/50-disk-use.conf`;
  const what = `${RECORDS}/log ${HOME}/.local/share/hearth/homeserver/media ${HOME}/.local/share/hearth/postgres`;
  const parts = partsOf();
  expect(option(parts, dropIn, "ExecStartPre")).toBe(
    `/bin/sh ${HOME}/.local/lib/hearth/maintenance/disk_use.sh before ${what}`,
  );
  expect(option(parts, dropIn, "ExecStopPost")).toBe(
    `/bin/sh ${HOME}/.local/lib/hearth/maintenance/disk_use.sh after ${what}`,
  );
});

it("[H10] [H13] a job sees its programs, its password and its records, and only the cleaning sees the media store", () => {
  const parts = partsOf({ retention: { maxLifetime: "14d" } });
  const common = [
    `${HOME}/.local/lib/hearth/maintenance:/programs:ro`,
    `${HOME}/.local/state/hearth/accounts/hearth-maintenance.password:/password:ro`,
    `${RECORDS}:/records:rw`,
  ];
  const socket = `${HOME}/.local/share/hearth/homeserver/socket:/run/hearth-synapse:ro`;
  for (const name of ["hearth-wake", "hearth-retention"])
    expect(values(parts, `${CONTAINERS}/${name}.container`, "Volume")).toEqual([...common, socket]);
  expect(values(parts, `${CONTAINERS}/hearth-maintenance.container`, "Volume")).toEqual([
    ...common,
    socket,
    `${HOME}/.local/share/hearth/homeserver/media:/media:rw`,
  ]);
  expect(parts.images).toEqual([jobHostOf(PLACES).image]);
});

it("[H15] other servers are informed once after each boot that we are back", () => {
  const timer = `${UNITS}/hearth-wake.timer`;
  const parts = partsOf();
  expect(option(parts, timer, "OnBootSec")).toBe("15");
  expect(option(parts, timer, "OnUnitInactiveSec")).toBeUndefined();
});

describe("the clock of the purge", () => {
  const DAY = 86_400;
  const NOW = 1_800_000_000;

  const TABLE: [what: string, records: object, now: number, trusted: boolean][] = [
    ["a first run", {}, NOW, true],
    ["an hour later", { seen: NOW - 3600, doubt: null }, NOW, true],
    ["a weekend later", { seen: NOW - 2 * DAY, doubt: null }, NOW, true],
    ["three weeks later", { seen: NOW - 21 * DAY, doubt: null }, NOW, false],
    ["three weeks later, for the second time", { seen: NOW - 21 * DAY, doubt: NOW - 600 }, NOW, true],
    ["on once a week only", { seen: NOW - 14 * DAY, doubt: NOW - 7 * DAY }, NOW, true],
    ["years ahead, then more years", { seen: NOW - 4000 * DAY, doubt: NOW - 900 * DAY }, NOW, false],
    ["years ahead, then correct again", { seen: NOW - 3600, doubt: NOW + 4000 * DAY }, NOW, true],
    ["ahead by other years than before", { seen: NOW - 4000 * DAY, doubt: NOW + 900 * DAY }, NOW, false],
    ["years back, which makes nothing look old", { seen: NOW + 4000 * DAY, doubt: null }, NOW, true],
  ];

  it.each(TABLE)("[H8] %s", async (_what, records, now, trusted) => {
    const program = `
import json, sys
from clock import believed
print(json.dumps(believed(*json.load(sys.stdin))))
`;
    const [is, after] = await askModule<[boolean, object]>("maintenance", program, [records, now]);
    expect(is).toBe(trusted);
    expect(after).toMatchObject(trusted ? { seen: now, doubt: null } : { ...records, doubt: now });
  });

  const DUE: [what: string, done: number | null, due: boolean][] = [
    ["never done", null, true],
    ["done a second ago", NOW - 1, false],
    ["done an interval ago", NOW - 3600, true],
    ["done in the future, by a wrong clock", NOW + DAY, true],
  ];

  it.each(DUE)("[H8] %s", async (_what, done, due) => {
    const program = `
import json, sys
from clock import due
print(json.dumps(due(*json.load(sys.stdin))))
`;
    const records = done === null ? {} : { done: { messages: done } };
    expect(await askModule("maintenance", program, [records, "messages", NOW, 3600])).toBe(due);
  });
});

describe("the lifetime of messages in a room", () => {
  // Room, default, shortest, longest: purged and hidden after.
  const TABLE: [policy: unknown, bounds: (number | null)[], purged: number, hidden: number][] = [
    [null, [14, null, null], 14, 14],
    [{ max_lifetime: 5 }, [14, null, null], 5, 5],
    [{ max_lifetime: 5 }, [14, 7, null], 7, 5],
    [{ max_lifetime: 90 }, [14, 7, 30], 30, 30],
    [{ max_lifetime: 90 }, [14, null, null], 90, 90],
    [{ max_lifetime: "5" }, [14, null, null], 14, 14],
    [{ max_lifetime: 0 }, [14, null, null], 14, 14],
    [{ max_lifetime: true }, [14, null, null], 14, 14],
    [{}, [14, null, 7], 7, 7],
  ];

  it.each(TABLE)("[H8] %j within %j", async (policy, bounds, purged, hidden) => {
    const program = `
import json, sys
from lifetimes import hidden_after, purged_after
policy, bounds = json.load(sys.stdin)
print(json.dumps([purged_after(policy, *bounds), hidden_after(policy, *bounds)]))
`;
    expect(await askModule("maintenance", program, [policy, bounds])).toEqual([purged, hidden]);
  });
});

describe("the section of the stack file", () => {
  const withSection = (maintenance: object) =>
    faultsOf(stackWith({ ...CONTAINED, maintenance: { host: "vps", ...maintenance } }));
  const GOOD = [
    ...["monthly", "weekly", "Sun", "Sat 04:00", "Mon..Fri 04:00", "Mon,Wed *-*-* 05:00:00"],
    ...["*-*-15 03:30", "*-*~1 04:00", "*-01,07-01 00:00", "04:00", "*:0/15", "2026-*-1 3:00"],
  ];
  const BAD = [
    "every month",
    "Monthly",
    "@monthly",
    "0 4 1 * *",
    "monthly\nPersistent=false",
    "Sunday 04:00",
    "",
    "14d",
  ];

  it.each(GOOD)("[H10] schedule %j is valid for systemd", (schedule) => {
    expect(withSection({ schedule })).toEqual([]);
  });

  it.each(BAD)("[H10] schedule %j is refused with an example", (schedule) => {
    expect(withSection({ schedule })).toEqual([
      "hearth:maintenance.schedule: is not a calendar expression of systemd, e.g. monthly, Sat 04:00 or *-*-15 03:30 | write for example `schedule: Sun 05:00`",
    ]);
  });

  it("[H10] an age without unit is refused", () => {
    expect(withSection({ remoteMedia: 90 })).toEqual([
      "hearth:maintenance.remoteMedia: is a number, not a duration | write for example `remoteMedia: 90d`",
    ]);
  });
});

test("after a run that was cut off, the next one continues at its end, so that no room is always left out", async () => {
  const program = `
import json, os, sys, tempfile
import retention
json.load(sys.stdin)
path = os.path.join(tempfile.mkdtemp(), "retention-room")
def run(rooms, most):
    seen = []
    for room in retention.from_where_it_ended(iter(rooms), path):
        if len(seen) == most: break
        seen.append(room)
    return seen
first = run(["!c", "!a", "!b", "!d"], 2)
second = run(["!c", "!a", "!b", "!d"], 1)
gone = run(["!a", "!d"], 9)
open(path, "wb").write(b"\\xff")
print(json.dumps([first, second, gone, run(["!b", "!a"], 9)]))`;
  // The next run does not begin with the room in which the run was cut off.
  expect(await askModule("maintenance", program, [])).toEqual([
    ["!a", "!b"],
    ["!d"],
    ["!d", "!a"],
    ["!a", "!b"],
  ]);
});

test("an absurd lifetime, set by a member with power in a room, is ignored", async () => {
  const program = `
import json, sys
import lifetimes
json.load(sys.stdin)
print(json.dumps([lifetimes.hidden_after({"max_lifetime": value}, 1000, None, None) / 1000 for value in (10**400, -1, True, "5", 500)] + [lifetimes.purged_after([], 1000, None, None)]))`;
  expect(await askModule("maintenance", program, [])).toEqual([1, 1, 1, 1, 0.5, 1000]);
});
