import { spawnSync } from "node:child_process";
import path from "node:path";
import { downHost, powerCutHost, upHost } from "../../sandbox";
import { MatrixClients } from "../../sandbox/matrix/clients";
import { pass } from "../../sandbox/matrix/journey";
import type { SessionMethods } from "../../sandbox/matrix/protocol";
import { type Tailnet, upTailnet } from "../../sandbox/tailnet";
import { HOME_UNITS, HomeServer } from "../support/home-server";
import { VpsServer } from "../support/vps-server";

/** Seconds from the first `up` to the last, with images present. */
const FIRST_UP = 180;
/** Seconds from the start of the boot until everything answers again. */
const BACK = 60;
const PATIENCE = 60_000;
const PSQL =
  "podman exec hearth-postgres psql --username=postgres --no-password --dbname=synapse -XAtq --command";
const CHECKOUT = path.resolve(__dirname, "../..");
const TIMERS = ["wake", "retention", "maintenance", "inactivity"].map((name) => `hearth-${name}.timer`);
/** The capability sets of a process in the kernel. */
const CAPABILITIES = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];

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
    empty: true,
    partner: { serverName, publicHost, address: host.address },
  });
  await partner.edit({
    "homeserver.federation.allowlist": [home.serverName],
    "verification.partner": undefined,
  });
  await partner.up();
  bobId = `@alice:${serverName}`;
});

afterAll(async () => {
  await clients?.close();
  await Promise.all([home?.remove(), partner?.remove(), downHost("e2e-home-net")]);
});

test("[A1] [H1] [H5] one up from an empty host, images present, to a server that its partner has checked", async () => {
  await home.edit({ "verification.enabled": true });
  const first = await home.up();
  console.log(`first up: ${first.seconds.toFixed(1)} s`);
  expect(first.seconds).toBeLessThan(FIRST_UP);
  expect(await home.status()).toBe(200);
});

test("[A1] the second up changes nothing and restarts nothing", async () => {
  const before = await home.lives();
  const second = await home.up([]);
  expect(second.steps.filter(({ op }) => op !== "refresh")).toEqual([]);
  expect(await home.lives()).toBe(before);
});

test("[H2] [A9] the secrets are stored by Podman, at least 40 characters long, and are in no other file", async () => {
  const secrets = await home.podmanSecrets();
  expect(Object.keys(secrets)).toEqual(
    expect.arrayContaining([
      ...["hearth-database-password", "hearth-registration", "hearth-macaroon", "hearth-form"],
      "hearth-signing-key",
    ]),
  );
  for (const [name, value] of Object.entries(secrets))
    expect([name, value.length >= 40]).toEqual([name, true]);
  // In a line like `role:password` or `ed25519 a_x key` only the last part is secret.
  const needles = Object.values(secrets).map((value) => value.split(/[:\s]/).at(-1) ?? "");
  needles.push(await home.password("alice"));
  // All texts that Hearth wrote there and here: the state, with its history, and the output of `pulumi`.
  const written = `${home.host.root}/home/debian/{.config,.local/lib,.local/state/hearth/releases,.local/state/hearth/apply}`;
  const search = `grep -rlFf - --exclude-dir=node_modules ${written} ${home.directory} ${CHECKOUT}`;
  const filesWith = (texts: string[]) =>
    spawnSync("bash", ["-c", search], { input: texts.join("\n"), encoding: "utf8" }).stdout;
  for (const file of [/homeserver\.yaml$/m, /\/state\/.*\.json$/m, /-up-1\.log$/m])
    expect(filesWith([home.serverName])).toMatch(file);
  expect(filesWith(needles)).toBe("");
});

test("[H7] one user has an account and is admin; Hearth's own accounts are separate", async () => {
  const sql = "SELECT split_part(name, ':', 1), admin FROM users ORDER BY 1";
  expect(await home.asUser(`${PSQL} "${sql}"`)).toBe(
    "@alice|1\n@hearth|1\n@hearth-inactivity|0\n@hearth-maintenance|1\n",
  );
});

test("[H3] the database has collation C from its first start", async () => {
  const query =
    "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = current_database()";
  expect(await home.asUser(`${PSQL} "${query}"`)).toBe("UTF8|C|C\n");
});

test("[H13] no service has a capability, can gain one, writes to its image, or may take all memory and processes", async () => {
  for (const unit of HOME_UNITS) {
    const name = unit.replace(".service", "");
    const status = await home.asUser(`cat /proc/$(podman inspect --format '{{.State.Pid}}' ${name})/status`);
    // Caddy's program file has the capability for low ports: without it in the bounding set Caddy would not start. The process does not have it.
    const bounds = name === "hearth-caddy" ? "400" : "0";
    const rights = status.split("\n").filter((line) => /^(Cap|NoNewPrivs)/.test(line));
    expect({ name, rights }).toEqual({
      name,
      rights: [
        ...CAPABILITIES.map((set) => `${set}:\t${(set === "CapBnd" ? bounds : "0").padStart(16, "0")}`),
        "NoNewPrivs:\t1",
      ],
    });
    // Only the settings are checked: the sandbox has no controllers that would enforce them.
    const limits = await home.asUser(`systemctl --user show --value -p MemoryMax -p TasksMax ${unit}`);
    expect({ name, limits }).toEqual({ name, limits: expect.stringMatching(/^\d+\n\d+\n$/) });
    expect(await home.asUser(`podman exec ${name} touch /x 2>&1 || true`)).toContain("Read-only file system");
  }
});

test("[H9] an upload of 10M passes the proxy to Synapse, one byte more does not", async () => {
  const upload = (bytes: number) =>
    home.asUser(
      `head -c ${bytes} /dev/zero | curl -s --max-time 60 -o /dev/null -w '%{http_code}' -H 'Host: ${home.publicHost}' -H 'Expect:' --data-binary @- http://127.0.0.1:8080/_matrix/media/v3/upload`,
    );
  // The request has no login: Synapse rejects it after it has read the whole body.
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

test("[H1] [H4] [A8] only ssh is open on the host itself: all our services listen on loopback", async () => {
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

describe("users on two servers", () => {
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

  beforeAll(async () => {
    await home.edit({ "rooms.spaces.home.members": ["alice", bobId] });
    await home.up();
    const outputs = (await home.outputs()) as Record<"inviteLinks" | "roomIds", Record<string, string>>;
    inviteLink = outputs.inviteLinks.home ?? "";
    spaceId = outputs.roomIds.home ?? "";
    roomId = outputs.roomIds.main ?? "";
    await login();
  });

  test("[H7] [H12] [H15] a user of another server accepts the invitation to the Space and may then join its room", async () => {
    expect(inviteLink).toBe(`https://matrix.to/#/${encodeURIComponent(spaceId)}?via=${home.serverName}`);
    const via = [home.serverName];
    await expect(bob.join({ roomId, via, timeout: PATIENCE })).rejects.toThrow();
    await bob.acceptInvite({ roomId: spaceId, via, timeout: PATIENCE });
    await bob.join({ roomId, via, timeout: PATIENCE });
    await alice.waitForMember({ roomId, userId: bobId, timeout: PATIENCE });
    await bob.waitForMember({ roomId, userId: `@alice:${home.serverName}`, timeout: PATIENCE });
  });

  test("[H15] they exchange encrypted messages", async () => {
    await pass(alice, bob, roomId, "Welcome home");
    await pass(bob, alice, roomId, "Thanks for having me");
  });

  test("[H1] [H5] [H15] after a power cut everything runs without a login, nothing is lost, and messages that were sent meanwhile arrive", async () => {
    const before = await pass(bob, alice, roomId, "before the lights go out");
    await powerCutHost(home.host.name);
    const meanwhile = await bob.send({ roomId, text: "sent while the PC was off" });
    // Long enough that the partner notices, and backs off.
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    const booted = performance.now();
    await upHost({ name: home.host.name });
    await home.secondsUntilAnswering(BACK);
    const states = async () => home.asUser(`systemctl --user is-active ${HOME_UNITS.join(" ")} || true`);
    while ((await states()) !== "active\nactive\nactive\n") {
      expect((performance.now() - booted) / 1000).toBeLessThan(BACK);
    }
    const seconds = (performance.now() - booted) / 1000;
    console.log(`everything is back ${seconds.toFixed(1)} s after power`);
    expect(seconds).toBeLessThan(BACK);
    expect(await home.asUser(`systemctl --user is-active ${TIMERS.join(" ")}`)).toBe("active\n".repeat(4));
    const kept = (id: string, timeout: number) => alice.read({ roomId, eventId: id, timeout });
    expect(await kept(before.eventId, PATIENCE)).toBe(before.text);
    expect(await kept(meanwhile, 5 * PATIENCE)).toBe("sent while the PC was off");
    expect((await home.preview(["--expect-no-changes"])).ok).toBe(true);
    await pass(alice, bob, roomId, "and we are back");
  });
});
