import { botMembers, inactivitySpec } from "../../components/inactivity/spec";
import { accountsSchema } from "../../config-schemas/accounts/schema";
import { homeserverSchema } from "../../config-schemas/homeserver/schema";
import { inactivitySchema } from "../../config-schemas/inactivity/schema";
import { roomsSchema } from "../../config-schemas/rooms/schema";
import { userPlaces } from "../../runtimes/places";
import { CONTAINED } from "../config-schemas/rules/maintenance";
import { faultsOf, stackWith } from "../config-schemas/support";
import { inContainers, jobHostOf } from "../support/rendered";

const HOME = "/home/alice";
const CONTAINER = `${HOME}/.config/containers/systemd/hearth-inactivity.container`;
const PLACES = userPlaces({ user: "alice", group: "alice", uid: 1000, home: HOME });
const partsOf = (...args: [ReturnType<typeof config>, ReturnType<typeof sections>]) =>
  inContainers(PLACES, inactivitySpec(...args, jobHostOf(PLACES)));
const BOT = "@hearth-inactivity:home.test";

const sections = (change: { homeserver?: object; accounts?: object; rooms?: object } = {}) => ({
  homeserver: homeserverSchema.parse({
    ...{ host: "home", serverName: "home.test", publicHost: "home.test", version: "1.163.2" },
    ...change.homeserver,
  }),
  accounts: accountsSchema.parse(change.accounts ?? {}),
  rooms: roomsSchema.parse(change.rooms ?? {}),
});

const config = (change: object = {}) => inactivitySchema.parse({ host: "home", window: "14d", ...change });

const execOf = (files: ReturnType<typeof partsOf>["files"]) =>
  /^Exec=(.*)$/m.exec((files[CONTAINER]?.content ?? "").replaceAll(" \\\n  ", " "))?.[1] ?? "";

it("[H11] by default the bot only reports: every month, all rooms, never the stack's admins", () => {
  const accounts = { alice: { admin: true }, bob: {} };
  const { files } = partsOf(
    config(),
    sections({ accounts, homeserver: { retention: { maxLifetime: "14d", purgeInterval: "1h" } } }),
  );
  expect(execOf(files)).toBe(
    "-B /programs/inactivity.py --socket /run/hearth-synapse/synapse.sock --user hearth-inactivity --password-file /password " +
      "--folder /records --window 1209600 --max-lifetime 1209600 --kept-since /programs/lifetimes.json --exempt @alice:home.test --max-removals 5",
  );
  const timer = files[`${HOME}/.config/systemd/user/hearth-inactivity.timer`]?.content;
  expect(timer).toMatch(/^OnCalendar=monthly\nPersistent=true$/m);
});

it("[H11] removing, rooms, exemptions and limits follow the stack file", () => {
  const wanted = { dryRun: false, rooms: ["main", "home"], exempt: ["@bob:example.net"], maxRemovals: 2 };
  const { files } = partsOf(config(wanted), sections());
  expect(execOf(files)).toMatch(
    / --window 1209600 --kept-since \/programs\/lifetimes\.json --room main --room home --exempt @bob:example\.net --max-removals 2 --remove$/,
  );
});

it("[H11] it has its modules in its folder, and sees only its own password and records", () => {
  const { files } = partsOf(config(), sections());
  const folder = `${HOME}/.local/lib/hearth/inactivity`;
  const modules = Object.keys(files)
    .filter((path) => path.startsWith(folder))
    .map((path) => path.slice(folder.length + 1));
  expect(modules.sort()).toEqual([
    "check_quadlet.sh",
    "decide.py",
    "gather.py",
    "history.py",
    "inactivity.py",
    "lifetimes.json",
    "lifetimes.py",
    "report.py",
    "session.py",
  ]);
  const volumes = files[CONTAINER]?.content.match(/^Volume=.*$/gm);
  expect(volumes).toEqual([
    `Volume=${folder}:/programs:ro`,
    `Volume=${HOME}/.local/state/hearth/accounts/hearth-inactivity.password:/password:ro`,
    `Volume=${HOME}/.local/share/hearth/inactivity:/records:rw`,
    `Volume=${HOME}/.local/share/hearth/homeserver/socket:/run/hearth-synapse:ro`,
  ]);
});

it("[H11] with all rooms it gets the names of the stack file's rooms, so that it notices when it is not in one of them", () => {
  const rooms = { spaces: { home: { name: "Home" } }, rooms: { main: { name: "Main" } } };
  const { files } = partsOf(config(), sections({ rooms }));
  expect(execOf(files)).toContain(" --room home --room main ");
});

it("[H11] the file whose time says since when lifetimes apply changes only with the lifetimes", () => {
  const fileOf = (homeserver: object, bot: object = {}) =>
    partsOf(config(bot), sections({ homeserver })).files[
      `${HOME}/.local/lib/hearth/inactivity/lifetimes.json`
    ]?.content;
  const retention = { maxLifetime: "14d", purgeInterval: "1h" };
  expect(fileOf({ retention })).toBe(
    fileOf({ retention, version: "1.164.0" }, { window: "7d", dryRun: false }),
  );
  for (const other of [{ maxLifetime: "30d" }, { allowedMin: "1d" }, { allowedMax: "15d" }])
    expect(fileOf({ retention: { ...retention, ...other } })).not.toBe(fileOf({ retention }));
  expect(fileOf({})).not.toBe(fileOf({ retention }));
});

it("[H11] in each watched room it has only the power that removing a member needs there", () => {
  const rooms = {
    spaces: { home: { name: "Home" } },
    rooms: { main: { name: "Main", powerLevels: { kick: 75 } }, other: { name: "Other" } },
  };
  expect(botMembers(config(), sections({ rooms }))).toEqual([
    { userId: BOT, power: 50, rooms: ["home"] },
    { userId: BOT, power: 75, rooms: ["main"] },
    { userId: BOT, power: 50, rooms: ["other"] },
  ]);
  expect(botMembers(config({ rooms: ["main"] }), sections({ rooms }))).toEqual([
    { userId: BOT, power: 75, rooms: ["main"] },
  ]);
});

describe("the section of the stack file", () => {
  const withSection = (inactivity: object) =>
    faultsOf(stackWith({ ...CONTAINED, inactivity: { host: "vps", window: "14d", ...inactivity } }));

  const REJECTED: [what: string, section: object, says: string][] = [
    [
      "no window",
      { window: undefined },
      "window: is missing and has no default | write for example `window: 14d`",
    ],
    [
      "a window without unit",
      { window: 14 },
      "window: is a number, not a duration | write for example `window: 14d`",
    ],
    [
      "no removals, for which there is dryRun",
      { maxRemovals: 0 },
      "maxRemovals: is out of bounds: at least 1 | write for example `maxRemovals: 5`",
    ],
    [
      "a member without server",
      { exempt: ["bob"] },
      'exempt[0]: is not a whole user ID in quotes, its server a DNS name in lower case, e.g. "@bob:example.net" | write for example `- "@bob:example.net"`',
    ],
    [
      "one room instead of a list",
      { rooms: "main" },
      'rooms: is not all, or a list of keys of hearth:rooms | write for example `rooms: ["main"]`',
    ],
    [
      "no room at all",
      { rooms: [] },
      'rooms: is out of bounds: at least 1 entries | write for example `rooms: ["main"]`',
    ],
    [
      "a dry run that is not true or false",
      { dryRun: "no" },
      "dryRun: is text, not true or false | write for example `dryRun: true`",
    ],
  ];

  it.each(REJECTED)("[H11] refuses %s", (_what, section, says) => {
    expect(withSection(section)).toEqual([`hearth:inactivity.${says}`]);
  });

  it("[H11] accepts the smallest section and a complete one", () => {
    expect(withSection({})).toEqual([]);
    expect(
      withSection({ dryRun: false, exempt: ["@bob:example.net"], schedule: "weekly", maxRemovals: 1 }),
    ).toEqual([]);
  });
});
