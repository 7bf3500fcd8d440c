import { containerPackages } from "../../components/hosts/facts";
import { rootlessRelease } from "../../components/hosts/rootless";
import { inactivitySpec } from "../../components/inactivity/spec";
import { maintenanceSpecs } from "../../components/maintenance/spec";
import { accountsSchema } from "../../config-schemas/accounts/schema";
import { homeserverSchema } from "../../config-schemas/homeserver/schema";
import { inactivitySchema } from "../../config-schemas/inactivity/schema";
import { maintenanceSchema } from "../../config-schemas/maintenance/schema";
import { roomsSchema } from "../../config-schemas/rooms/schema";
import { accounts } from "../../provider/matrix/account/host";
import { userPlaces } from "../../runtimes/places";
import { downHost } from "../../sandbox";
import { type HomeHost, homeHost } from "../support/home-host";
import { call, LOGIN, ok } from "../support/host-programs";
import { eventually } from "../support/jobs";
import { DEBIAN_13 } from "../support/program";
import { failureOf } from "../support/real-release";
import { inContainers, jobHostOf } from "../support/rendered";
import { HOME_SOCKET } from "../support/synapse-socket";
import { ContainerReleases, LOGIN_FACTS } from "./quadlet-releases";

const NAME = `jobs-${process.pid}`;
const RETENTION = { maxLifetime: "14d", purgeInterval: "1h" };
const SERVER = { host: "home", serverName: "home.test", publicHost: "home.test", version: "1.163.2" };
const PLACES = userPlaces(LOGIN_FACTS);
const HOST = jobHostOf(PLACES);

let home: HomeHost;

beforeAll(async () => {
  home = await homeHost(NAME);
  ok(
    await call(
      home.host,
      "apply",
      { release: "rootless", packages: containerPackages(DEBIAN_13), ...rootlessRelease<string>(LOGIN) },
      { scope: "system" },
    ),
  );
  const releases = new ContainerReleases(home.host);
  const wanted = { homeserver: { retention: RETENTION } };
  ok(await releases.apply("postgres", wanted));
  ok(await releases.apply("homeserver", wanted));
  await account("hearth-maintenance", true);
  await account("hearth-inactivity", false);
});

afterAll(() => downHost(NAME));

/** The account, as the resource creates it. */
async function account(localpart: string, admin: boolean): Promise<void> {
  const { signal } = new AbortController();
  const access = {
    ...{ connection: home.connection, scope: "user" as const, homeserverUrl: `unix:${HOME_SOCKET}` },
    ...{ serverName: "home.test", registrationSecret: "podman:hearth-registration" },
  };
  const password = { kind: "generated" as const };
  await accounts.apply({ ...access, localpart, admin, deactivated: false, password }, { password }, signal);
}

const homeserver = homeserverSchema.parse({ ...SERVER, retention: RETENTION });

function maintenance(section: object = {}) {
  const config = maintenanceSchema.parse({ host: "home", remoteMedia: "30d", ...section });
  const disk = { media: `${PLACES.data("homeserver")}/media`, database: PLACES.data("postgres") };
  const specs = maintenanceSpecs(config, homeserver, disk, HOST);
  return { release: "maintenance", ...inContainers(PLACES, ...specs) };
}

function inactivity() {
  const sections = { homeserver, accounts: accountsSchema.parse({}), rooms: roomsSchema.parse({}) };
  const config = inactivitySchema.parse({ host: "home", window: "14d" });
  return { release: "inactivity", ...inContainers(PLACES, inactivitySpec(config, sections, HOST)) };
}

const user = (text: string) => home.sh(`export XDG_RUNTIME_DIR=/run/user/$(id -u); ${text}`);
const journal = (unit: string) => user(`journalctl --user --output=cat -u ${unit}.service`);

test("[H10] [H11] Quadlet and systemd accept the containers and the timers, and the timers run", async () => {
  for (const release of [maintenance(), inactivity()])
    ok(await call(home.host, "apply", release, { scope: "user" }));
  const timers = ["maintenance", "retention", "wake", "inactivity"].map((name) => `hearth-${name}.timer`);
  expect(await user(`systemctl --user is-enabled ${timers.join(" ")}`)).toBe(
    timers.map(() => "enabled").join("\n"),
  );
  expect(await user(`systemctl --user is-active ${timers.join(" ")}`)).toBe(
    timers.map(() => "active").join("\n"),
  );
});

test("[H10] a schedule that systemd does not understand is refused before any file is replaced", async () => {
  const answer = await call(home.host, "apply", maintenance({ schedule: "*-13-01" }), { scope: "user" });
  expect(answer.end).toBe("end failed");
  expect(failureOf(answer).text).toMatch(/hearth-maintenance\.timer.*calendar/i);
  expect(await user("grep OnCalendar ~/.config/systemd/user/hearth-maintenance.timer")).toBe(
    "OnCalendar=monthly",
  );
});

test("[H8] [H15] purge and wake run in their containers and log their work", async () => {
  const log = () => user("cat ~/.local/share/hearth/maintenance/log");
  const both =
    /messages: \d+ rooms purged[\s\S]*wake: 0 of 0 servers|wake: 0 of 0 servers[\s\S]*messages: \d+ rooms purged/;
  await user("systemctl --user start hearth-retention.service");
  expect(await eventually(async () => both.test(await log()), 120)).toBe(true);
  expect(await user("systemctl --user show -P Result hearth-retention.service")).toBe("success");
});

test("[H10] the cleaning logs the disk use before and after, in its log and in the journal", async () => {
  await user(
    "mkdir -p ~/.local/share/hearth/homeserver/media/remote_content/example.org/aa && touch -d '3 days ago' ~/.local/share/hearth/homeserver/media/remote_content/example.org/aa ~/.local/share/hearth/homeserver/media/remote_content/example.org",
  );
  await user("systemctl --user start hearth-maintenance.service");
  const log = () => user("cat ~/.local/share/hearth/maintenance/log");
  // The whole journal of the user: for a program that has already ended, journald no longer knows the unit.
  const lines = () => user("journalctl --user --output=cat");
  // The command after the job still runs when `systemctl start` returns.
  for (const read of [log, lines]) {
    expect(await eventually(async () => (await read()).includes("disk use after"))).toBe(true);
    const text = await read();
    expect(text).toMatch(/disk use before: media \d+ MiB, database [1-9]\d* MiB/);
    expect(text).toMatch(/remote media: 0 files not accessed since/);
    expect(text).toMatch(/media store: 2 empty folders removed/);
    expect(text).toMatch(/disk use after: media \d+ MiB, database [1-9]\d* MiB/);
  }
});

test("[H11] the bot's report is the login user's file, and in the journal", async () => {
  await user("systemctl --user start hearth-inactivity.service");
  const said = async () => (await journal("hearth-inactivity")).includes("Dry run: nobody was removed.");
  expect(await eventually(said)).toBe(true);
  const owner = await user("stat -c '%U %n' ~/.local/share/hearth/inactivity/report-*.txt");
  expect(owner).toMatch(/^debian \S+report-\d{4}-\d\d-\d\d\.txt$/);
});

test("[H10] [A9] the password is only in its file, and in no unit, log, journal or process", async () => {
  const found = await user(
    `for name in hearth-maintenance hearth-inactivity; do
       podman ps --all --format '{{.Command}}' >/tmp/ps-$name; journalctl --user >/tmp/journal-$name
       grep -r -l -F -f ~/.local/state/hearth/accounts/$name.password \
         ~/.config ~/.local/lib ~/.local/share/hearth/maintenance ~/.local/share/hearth/inactivity /tmp/ps-$name /tmp/journal-$name || true
     done`,
  );
  expect(found).toBe("");
});
