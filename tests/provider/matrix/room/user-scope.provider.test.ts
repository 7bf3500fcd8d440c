import { containerPackages } from "../../../../components/hosts/facts";
import { rootlessRelease } from "../../../../components/hosts/rootless";
import { account } from "../../../../provider/matrix/account";
import { room, space } from "../../../../provider/matrix/room";
import { observeHost } from "../../../../provider/matrix/verification/observe";
import type { Call } from "../../../../provider/protocol/resource";
import { type Properties, toProperties } from "../../../../provider/protocol/values";
import { downHost } from "../../../../sandbox";
import { ContainerReleases } from "../../../components/quadlet-releases";
import { type HomeHost, homeHost } from "../../../support/home-host";
import { call as hostCall, ok } from "../../../support/host-programs";
import { DEBIAN_13 } from "../../../support/program";
import { AT_HOME_SYNAPSE, HOME_SOCKET } from "../../../support/synapse-socket";
import { LEVELS } from "./rooms";

const NAME = `room-${process.pid}`;
const STATE = "/home/debian/.local/state/hearth";
const ALICE = "@alice:home.test";

let home: HomeHost;
const said: string[] = [];

beforeAll(async () => {
  home = await homeHost(NAME);
  ok(
    await hostCall(
      home.host,
      "apply",
      { release: "rootless", packages: containerPackages(DEBIAN_13), ...rootlessRelease<string>("debian") },
      { scope: "system" },
    ),
  );
  const releases = new ContainerReleases(home.host);
  ok(await releases.apply("postgres"));
  ok(await releases.apply("homeserver"));
});

afterAll(() => downHost(NAME));

function call(): Call {
  const say = async (message: string) => {
    said.push(message);
  };
  return {
    ...{ urn: "urn", name: "home-x", preview: false, offline: false, timeoutSeconds: 0 },
    log: { step: say, info: say, warning: say, debug: say },
    signal: new AbortController().signal,
  };
}

function access() {
  return {
    ...{ connection: home.connection, scope: "user" as const, homeserverUrl: `unix:${HOME_SOCKET}` },
    ...{ serverName: "home.test", registrationSecret: "podman:hearth-registration" },
  };
}

const common = (key: string) => ({
  ...{ key, name: key, members: [ALICE], federate: true },
  powerLevels: { ...LEVELS, users: { [ALICE]: 100 } },
});

function inputs(settings: object): Properties {
  return toProperties({ ...access(), ...settings });
}

test("[H7] the admin account is made by the login user; the one line shows how to see the password, and does", async () => {
  const alice = { localpart: "alice", admin: true, deactivated: false, password: { kind: "generated" } };
  await account.create(call(), inputs(alice));
  expect(said).toEqual([expect.stringMatching(new RegExp(`^${ALICE} was made; .* To see it: ssh .* cat `))]);
  const file = `${STATE}/accounts/alice.password`;
  expect(said[0]).toContain(` cat ${file}`);
  const password = await home.sh(`cat ${file}`);
  const login = { type: "m.login.password", identifier: { type: "m.id.user", user: "alice" }, password };
  const answer = await home.sh(
    `curl -s -d @- ${AT_HOME_SYNAPSE}/_matrix/client/v3/login`,
    JSON.stringify(login),
  );
  expect(JSON.parse(answer)).toMatchObject({ user_id: ALICE });
  expect(await home.sh(`stat -c '%a %U' ${STATE} ${file} ${STATE}/admin.json`)).toBe(
    "700 debian\n600 debian\n600 debian",
  );
  expect(await home.root("find /var/lib/hearth -name accounts -o -name admin.json")).toBe("");
});

test("[A1] [H12] a Space and its restricted room are made, read back without a difference, and found without records", async () => {
  const home_ = inputs({
    ...{ ...common("home"), joinRule: { rule: "invite", spaceIds: [] }, historyVisibility: "shared" },
  });
  const made = await space.create(call(), home_);
  const main = inputs({
    ...{ ...common("main"), joinRule: { rule: "restricted", spaceIds: [made.id] }, encrypted: true },
    ...{ historyVisibility: "invited", parent: { roomId: made.id, suggested: true } },
  });
  const { id, outputs } = await room.create(call(), main);
  expect(outputs.inviteLink).toBe(`https://matrix.to/#/${encodeURIComponent(id)}?via=home.test`);
  const read = await room.read(call(), { id, inputs: main, outputs });
  expect(read).toMatchObject({ id, outputs });
  expect([...room.diff(read?.inputs ?? {}, main).details]).toEqual([]);
  await home.sh(`rm -r ${STATE}/rooms`);
  expect((await room.create(call(), main)).id).toBe(id);
});

test("[H15] database, media and log are looked at in their containers' places", async () => {
  const data = "/home/debian/.local/share/hearth/homeserver";
  const seen = await observeHost(
    {
      ...{ ...access(), publicHost: "home.test", proxyUrl: "http://127.0.0.1:8080", maxUploadBytes: 1024 },
      ...{ federationPort: false, closedPorts: {}, delegation: "here", resolve: {} },
      ...{ mediaLimitBytes: 0, revisions: {} },
      database: {
        ...{ name: "synapse", role: "matrix-synapse", maxConnections: 10 },
        console: [
          "podman",
          "exec",
          "--interactive",
          "hearth-postgres",
          "psql",
          "--username=postgres",
          "--no-password",
        ],
      },
      ...{ mediaPath: `${data}/media`, logFile: `${data}/log/homeserver.log` },
    },
    new AbortController().signal,
  );
  expect(seen.admin).toEqual({});
  expect(seen.database).toMatchObject({ sqlite: [], connections: expect.any(Number) });
  expect(seen.database.connections).toBeGreaterThan(0);
  expect(seen.media.error).toBeUndefined();
  expect(seen.log.error).toBeUndefined();
  expect(seen.forwardedAddress).toEqual({ behindTunnel: true });
});
