import { downHost, powerCutHost, upHost } from "../../sandbox";
import { MatrixClients } from "../../sandbox/matrix/clients";
import type { SessionMethods } from "../../sandbox/matrix/protocol";
import { type Tailnet, upTailnet } from "../../sandbox/tailnet";
import { HOME_UNITS, HomeServer } from "../support/home-server";
import { VpsServer } from "../support/vps-server";

/** Seconds from the first `up` to the last, images present. */
const FIRST_UP = 180;
/** Seconds from the start of the boot until everything answers again. */
const BACK = 60;
const PATIENCE = 60_000;

let tailnet: Tailnet;
let home: HomeServer;
let partner: VpsServer;
let clients: MatrixClients;
let alice: SessionMethods;
let bob: SessionMethods;
let bobId: string;

beforeAll(async () => {
  [tailnet, partner] = await Promise.all([
    upTailnet({ name: "e2e-home-net", domain: "tail4e01.ts.net", nodes: ["e2e-home"] }),
    VpsServer.make("e2e-home-partner"),
  ]);
  const { serverName, publicHost, host } = partner;
  home = await HomeServer.make("e2e-home", {
    tailnet,
    partner: { serverName, publicHost, address: host.address },
  });
  await partner.edit({
    "homeserver.federation.allowlist": [home.serverName],
    "verification.partner": undefined,
  });
  await partner.up(["--skip-preview"]);
  bobId = `@alice:${serverName}`;
});

afterAll(async () => {
  await clients?.close();
  await Promise.all([home?.remove(), partner?.remove(), downHost("e2e-home-net")]);
});

test("[A1] [H1] [H5] one up from an empty host, images present, to a server that its partner has checked", async () => {
  await home.edit({ "verification.enabled": true });
  const first = await home.up(["--skip-preview"]);
  console.log(`first up: ${first.seconds.toFixed(1)} s`);
  expect(first.seconds).toBeLessThan(FIRST_UP);
  expect(await home.status()).toBe(200);
});

test("[A1] the second up changes nothing and restarts nothing", async () => {
  const before = await home.lives();
  const second = await home.up();
  expect(second.steps.filter(({ op }) => op !== "refresh")).toEqual([]);
  expect(await home.lives()).toBe(before);
});

test("[H2] [A9] the secrets are Podman's, at least 40 characters long, and stand in no file that Hearth wrote", async () => {
  const listing = await home.asUser(
    `podman secret ls --format '{{.Name}}' | grep ^hearth- | while read -r name; do
       printf '%s %s\\n' "$name" "$(podman secret inspect --showsecret --format '{{.SecretData}}' "$name" | tr -d '\\n' | wc -c)"
     done`,
  );
  const lengths = Object.fromEntries(
    listing
      .trim()
      .split("\n")
      .map((line) => line.split(" ")),
  );
  expect(Object.keys(lengths)).toEqual(
    expect.arrayContaining([
      "hearth-database-password",
      "hearth-registration",
      "hearth-macaroon",
      "hearth-form",
    ]),
  );
  for (const [name, length] of Object.entries(lengths))
    expect([name, Number(length) >= 40]).toEqual([name, true]);
  const leaks = await home.asUser(
    `podman secret ls --format '{{.Name}}' | grep ^hearth- | while read -r name; do
       podman secret inspect --showsecret --format '{{.SecretData}}' "$name" | head -n 1 >/tmp/needle
       grep -r -l -F -f /tmp/needle ~/.config ~/.local/lib ~/.local/state/hearth/releases ~/.local/state/hearth/apply 2>/dev/null
     done; rm -f /tmp/needle; true`,
  );
  expect(leaks).toBe("");
});

test("[H3] the database has collation C from its first start", async () => {
  const query =
    "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = current_database()";
  const psql =
    "podman exec hearth-postgres psql --username=postgres --no-password --dbname=synapse -XAtq --command";
  expect(await home.asUser(`${psql} "${query}"`)).toBe("UTF8|C|C\n");
});

test("[H13] no service has a capability, can gain one, or writes to its image", async () => {
  for (const unit of HOME_UNITS) {
    const name = unit.replace(".service", "");
    const status = await home.asUser(`cat /proc/$(podman inspect --format '{{.State.Pid}}' ${name})/status`);
    expect({ name, status }).toEqual({ name, status: expect.stringMatching(/^CapEff:\s+0{16}$/m) });
    expect({ name, status }).toEqual({ name, status: expect.stringMatching(/^NoNewPrivs:\s+1$/m) });
    expect(await home.asUser(`podman exec ${name} touch /x 2>&1 || true`)).toContain("Read-only file system");
  }
});

test("[H9] an upload of 10M passes the proxy to Synapse, one byte more does not", async () => {
  const upload = (bytes: number) =>
    home.asUser(
      `head -c ${bytes} /dev/zero | curl -s --max-time 60 -o /dev/null -w '%{http_code}' -H 'Host: ${home.publicHost}' -H 'Expect:' --data-binary @- http://127.0.0.1:8080/_matrix/media/v3/upload`,
    );
  // Nobody is logged in: Synapse says so once it has taken the whole body.
  expect(await upload(10 * 1024 ** 2)).toBe("401");
  expect(await upload(10 * 1024 ** 2 + 1)).toBe("413");
});

test("[H4] [A8] from outside only client and federation paths answer", async () => {
  const open = ["/_matrix/client/versions", "/_matrix/federation/v1/version", "/_matrix/key/v2/server"];
  const shut = [
    "/",
    "/_synapse/admin/v1/server_version",
    "/_synapse/admin/v1/register",
    "/metrics",
    "/health",
  ];
  const tricks = [
    "/_matrix/../_synapse/admin/v1/server_version",
    "/_matrix/..%2f_synapse/admin/v1/server_version",
    "/_matrix/%2e%2e/_synapse/admin/v1/server_version",
    "//_synapse/admin/v1/server_version",
  ];
  const statuses = async (paths: string[]) => Promise.all(paths.map((path) => home.status(path)));
  expect(await statuses(open)).toEqual(open.map(() => 200));
  for (const status of await statuses([...shut, ...tricks])) expect([400, 403, 404]).toContain(status);
  expect(await statuses(["/.well-known/matrix/client", "/.well-known/matrix/server"])).toEqual([200, 200]);
});

test("[H7] nobody can register an account through the proxy", async () => {
  const request = `-H 'Host: ${home.publicHost}' --data '{}' http://127.0.0.1:8080/_matrix/client/v3/register`;
  expect(await home.asUser(`curl --silent --output /dev/null --write-out '%{http_code}' ${request}`)).toBe(
    "403",
  );
});

test("[H1] [H4] [A8] the machine itself is open for ssh only: every service of ours listens on loopback", async () => {
  const listening = await home.sh("ss -H -l -n -t -p");
  const open = listening
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , address = ""]) => !/^(127\.|\[::1\])/.test(address))
    .map(([, , , address, , users = ""]) => `${address} ${/"([^"]+)"/.exec(users)?.[1]}`);
  // systemd-resolved answers on the local link, sshd everywhere. tailscaled listens on the tailnet's address only; without a
  // tun device, as in the sandbox, it has none to listen on.
  expect(open.filter((line) => !/^\S+:(22|5355) | tailscaled$/.test(line))).toEqual([]);
});

describe("people on two servers", () => {
  let inviteLink: string;
  let roomId: string;
  let spaceId: string;

  const login = async () => {
    clients = new MatrixClients({
      resolve: {
        [home.publicHost]: tailnet.host.address,
        [partner.publicHost]: partner.host.address,
        [partner.serverName]: partner.host.address,
      },
      caFile: home.host.caFile,
    });
    [alice, bob] = [clients.session("alice"), clients.session("bob")];
    const bobsPassword = (await partner.sh("cat /var/lib/hearth/accounts/alice.password")).trim();
    await Promise.all([
      alice.login({ serverName: home.serverName, user: "alice", password: await home.password("alice") }),
      bob.login({ serverName: partner.serverName, user: "alice", password: bobsPassword }),
    ]);
  };

  const pass = async (from: SessionMethods, to: SessionMethods, text: string) => {
    const eventId = await from.send({ roomId, text });
    expect(await to.read({ roomId, eventId, timeout: PATIENCE })).toBe(text);
    expect((await from.wireEvent({ roomId, eventId })).type).toBe("m.room.encrypted");
    return eventId;
  };

  beforeAll(async () => {
    await home.edit({ "rooms.spaces.home.members": ["alice", bobId] });
    await home.up(["--skip-preview"]);
    const outputs = JSON.parse(
      await home.stack.cli(["stack", "output", "--json", "--stack", home.host.name]),
    ) as { inviteLinks: Record<string, string>; roomIds: Record<string, string> };
    inviteLink = outputs.inviteLinks.home ?? "";
    spaceId = outputs.roomIds.home ?? "";
    roomId = outputs.roomIds.main ?? "";
    await login();
  });

  test("[H7] [H12] [H15] somebody from another server accepts the invitation to the Space and may then join its room", async () => {
    expect(inviteLink).toBe(`https://matrix.to/#/${encodeURIComponent(spaceId)}?via=${home.serverName}`);
    const via = [home.serverName];
    await expect(bob.join({ roomId, via, timeout: PATIENCE })).rejects.toThrow();
    await bob.acceptInvite({ roomId: spaceId, via, timeout: PATIENCE });
    await bob.join({ roomId, via, timeout: PATIENCE });
    await alice.waitForMember({ roomId, userId: bobId, timeout: PATIENCE });
    await bob.waitForMember({ roomId, userId: `@alice:${home.serverName}`, timeout: PATIENCE });
  });

  test("[H15] they exchange encrypted messages", async () => {
    await pass(alice, bob, "Welcome home");
    await pass(bob, alice, "Thanks for having me");
  });

  test("[H1] [H5] [H15] after a power cut everything is up without a login, nothing is lost, and what was sent meanwhile arrives", async () => {
    const before = await pass(bob, alice, "before the lights go out");
    await powerCutHost(home.host.name);
    const meanwhile = await bob.send({ roomId, text: "sent while the PC was off" });
    // So long that the partner has noticed, and backs off.
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    const booted = performance.now();
    await upHost({ name: home.host.name });
    await home.secondsUntilAnswering(BACK);
    const states = async () => home.asUser(`systemctl --user is-active ${HOME_UNITS.join(" ")} || true`);
    while ((await states()) !== "active\nactive\nactive\n") {
      expect((performance.now() - booted) / 1000).toBeLessThan(BACK);
    }
    console.log(`everything is back ${((performance.now() - booted) / 1000).toFixed(1)} s after power`);
    const kept = (id: string, timeout: number) => alice.read({ roomId, eventId: id, timeout });
    expect(await kept(before, PATIENCE)).toBe("before the lights go out");
    expect(await kept(meanwhile, 5 * PATIENCE)).toBe("sent while the PC was off");
    expect((await home.preview(["--expect-no-changes"])).ok).toBe(true);
    await pass(alice, bob, "and we are back");
  });
});
