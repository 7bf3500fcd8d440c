import { powerCutHost, upHost } from "../../sandbox";
import { MatrixClients } from "../../sandbox/matrix/clients";
import { pass } from "../../sandbox/matrix/journey";
import type { SessionMethods } from "../../sandbox/matrix/protocol";
import { VpsServer } from "../support/vps-server";
import { WireguardServer } from "../support/wireguard-server";

/** Seconds from the start of a boot until clients are served again. */
const BACK = 60;
/** Most seconds until a client hears that home is off. */
const TOLD = 2;
const PATIENCE = 60_000;
const DOOR = "10.213.87.2:8008";

/** A program on all addresses. */
const LISTEN = `systemd-run --quiet --unit=probe perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(LocalPort => 9999, Listen => 5) or die; while (1) { $s->accept }'`;
/** Longer than nginx keeps an unused connection to home. */
const UNUSED = 6000;

let server: WireguardServer;
let partner: VpsServer;
let clients: MatrixClients;
let alice: SessionMethods;
let bob: SessionMethods;
let roomId: string;

const curl = (url: string) =>
  `curl --silent --max-time 3 --output /dev/null --write-out '%{http_code}' ${url}`;

beforeAll(async () => {
  partner = await VpsServer.make("e2e-wg-partner");
  const { serverName, publicHost, host } = partner;
  server = await WireguardServer.make("e2e-wg", { serverName, publicHost, address: host.address });
  await partner.edit({
    "homeserver.federation.allowlist": [server.serverName],
    "verification.partner": undefined,
  });
  await partner.up(["--skip-preview"]);
});

afterAll(async () => {
  await clients?.close();
  await Promise.all([server?.remove(), partner?.remove()]);
});

test("[A1] [W1] [W2] [W4] one up from two empty hosts to a server that its partner has checked; the second changes nothing", async () => {
  const first = await server.up(["--skip-preview"]);
  console.log(`first up: ${first.seconds.toFixed(1)} s`);
  const before = await server.lives();
  const second = await server.up();
  expect(second.steps.filter(({ op }) => op !== "refresh")).toEqual([]);
  expect(await server.lives()).toBe(before);
});

test("[W2] [A9] each host has its own key: only public keys are in the state, on the other host and in the interfaces", async () => {
  const file = "/etc/hearth/wireguard-keys/private.key";
  const [home, edge] = await Promise.all([server.sh(`cat ${file}`), server.onEdge(`cat ${file}`)]);
  expect(home).not.toBe(edge);
  const shared = await server.stack.cli(["stack", "export", "--show-secrets", "--stack", server.host.name]);
  const files = "cat /etc/hearth/wireguard/*";
  for (const text of [shared, await server.sh(files), await server.onEdge(files)]) {
    expect(text).not.toContain(home.trim());
    expect(text).not.toContain(edge.trim());
  }
  const publicKey = (await server.sh(`wg pubkey <${file}`)).trim();
  expect(await server.onEdge("wg show hearth0 peers")).toBe(`${publicKey}\n`);
  expect(await server.sh(`stat -c '%a %U' ${file}`)).toBe("600 root\n");
});

test("[W3] [A8] through the tunnel the edge reaches Synapse and nothing else at home, and home nothing on the edge", async () => {
  expect(await server.onEdge(curl(`http://${DOOR}/_matrix/client/versions`))).toBe("200");
  const knock = (address: string, port: number) =>
    `timeout 3 bash -c '</dev/tcp/${address}/${port}' 2>/dev/null && echo open || echo closed`;
  await Promise.all([server.sh(LISTEN), server.onEdge(LISTEN)]);
  const homeLan = server.host.address;
  const found = {
    // The network behind home, by a route through the tunnel that the edge's root could set.
    "home, ssh": await server.onEdge(knock("10.213.87.2", 22)),
    "home, another program": await server.onEdge(knock("10.213.87.2", 9999)),
    "home's network": await server.onEdge(
      `wg set hearth0 peer "$(wg show hearth0 peers)" allowed-ips 10.213.87.2/32,192.0.2.0/24
       ip route add 192.0.2.7 dev hearth0; ${knock("192.0.2.7", 9999)}; ip route del 192.0.2.7 dev hearth0
       wg set hearth0 peer "$(wg show hearth0 peers)" allowed-ips 10.213.87.2/32`,
    ),
    "the edge, ssh": await server.sh(knock("10.213.87.1", 22)),
    "the edge, another program": await server.sh(knock("10.213.87.1", 9999)),
    // The probes themselves are reachable where the tunnel is not involved.
    "home, not through the tunnel": await server.onEdge(knock(homeLan, 9999)),
  };
  // Linux accepts packets for an address of any interface: without the filter the door would be open to the network at home.
  const roundabout = `ip route add 10.213.87.2 via ${homeLan}; ${knock("10.213.87.2", 8008)}; ip route del 10.213.87.2`;
  expect(await partner.sh(roundabout)).toBe("closed\n");
  expect(found).toEqual({
    ...Object.fromEntries(Object.keys(found).map((name) => [name, "closed\n"])),
    "home, not through the tunnel": "open\n",
  });
  // Synapse is at the door, on its socket and nowhere else.
  const listening = await server.sh("ss -H -l -n -t");
  expect(listening.match(/\S+:8008/g)).toEqual([DOOR]);
});

test("[W3] paths that are not public are closed at the edge, clients are told to use https only, and a forged client address is not believed", async () => {
  for (const path of ["/_synapse/admin/v1/server_version", "/metrics", "/_synapse/metrics"])
    expect([path, await server.status(path)]).toEqual([path, 404]);
  const headers = `curl --silent --head https://${server.publicHost}/_matrix/client/versions`;
  expect(await server.onEdge(headers)).toMatch(/^strict-transport-security: max-age=31536000/im);
  const { status, results } = await server.verify();
  expect([status, results["forged X-Forwarded-For"], results["upload at the limit"]]).toEqual([
    ...[0, "pass", "pass"],
  ]);
});

describe("users on two servers", () => {
  beforeAll(async () => {
    clients = new MatrixClients({
      resolve: {
        ...{ [server.publicHost]: server.edge.address, [server.serverName]: server.edge.address },
        ...{ [partner.publicHost]: partner.host.address, [partner.serverName]: partner.host.address },
      },
      caFile: server.host.caFile,
    });
    [alice, bob] = [clients.session("alice"), clients.session("bob")];
    const password = "cat /var/lib/hearth/accounts/alice.password";
    const [alicePassword, bobPassword] = await Promise.all([server.sh(password), partner.sh(password)]);
    const [, { userId }] = await Promise.all([
      alice.login({ serverName: server.serverName, user: "alice", password: alicePassword.trim() }),
      bob.login({ serverName: partner.serverName, user: "alice", password: bobPassword.trim() }),
    ]);
    roomId = await alice.createEncryptedRoom({ name: "Link", invite: [userId] });
    await bob.acceptInvite({ roomId, via: [server.serverName], timeout: PATIENCE });
    await alice.waitForMember({ roomId, userId, timeout: PATIENCE });
  });

  test("[A1] [W1] they exchange encrypted messages", async () => {
    await pass(alice, bob, roomId, "Hello from the old laptop");
    await pass(bob, alice, roomId, "Hello from the cloud");
  });

  test("[W2] the edge comes back from a reboot, and home connects to it again", async () => {
    await powerCutHost(server.edge.name);
    await upHost({ name: server.edge.name });
    const seconds = await server.secondsUntilAnswering(BACK);
    console.log(`edge: served again ${seconds.toFixed(1)} s after power`);
    await pass(alice, bob, roomId, "the edge is back");
  });

  test("[W10] while home is off clients hear it at once and well-known stays; after power nothing is lost", async () => {
    await powerCutHost(server.host.name);
    await new Promise((resolve) => setTimeout(resolve, UNUSED));
    const started = performance.now();
    const { status, body } = await server.answer("/_matrix/client/versions");
    const told = (performance.now() - started) / 1000;
    console.log(`home is off: ${status} after ${told.toFixed(2)} s`);
    expect([status, JSON.parse(body)]).toEqual([502, expect.objectContaining({ errcode: "M_UNKNOWN" })]);
    expect(told).toBeLessThan(TOLD);
    const document = await server.answer("/.well-known/matrix/server", server.serverName);
    expect([document.status, JSON.parse(document.body)]).toEqual([
      200,
      { "m.server": `${server.publicHost}:443` },
    ]);
    const meanwhile = await bob.send({ roomId, text: "sent while home was off" });
    await upHost({ name: server.host.name });
    const seconds = await server.secondsUntilAnswering(BACK);
    console.log(`home: served again ${seconds.toFixed(1)} s after power`);
    expect(await alice.read({ roomId, eventId: meanwhile, timeout: 5 * PATIENCE })).toBe(
      "sent while home was off",
    );
    expect((await server.preview(["--expect-no-changes"])).ok).toBe(true);
  });
});
