import { downHost } from "../../sandbox";
import { type Tailnet, upTailnet } from "../../sandbox/tailnet";
import { HomeServer } from "../support/home-server";

const NAME = "e2e-home-change";
const YAML = "~/.config/hearth/homeserver/homeserver.yaml";
const CONTAINER = "~/.config/containers/systemd/hearth-caddy.container";

interface HandEdit {
  what: string;
  /** Shell text run as the login user, or as root. */
  edit: string;
  as?: "root";
  /** The text that the next plain preview must contain. */
  shown: RegExp[];
  /** Shell text that succeeds after the repair. */
  repaired: string;
}

/** One edit of every kind, all at once. (Funnel switched off: tests/components/tunnel.provider.test.ts.) */
const HAND_EDITS: HandEdit[] = [
  {
    what: "Funnel led somewhere else",
    edit: "tailscale funnel --bg --https=443 http://127.0.0.1:9",
    as: "root",
    shown: [/want: "funnel 443 -> http:\/\/127\.0\.0\.1:9" => "funnel 443 -> http:\/\/127\.0\.0\.1:8080"/],
    repaired: "tailscale serve status --json | grep -q 127.0.0.1:8080",
  },
  {
    what: "a changed line of a file",
    edit: `sed -i 's/max_upload_size: 10M/max_upload_size: 900M/' ${YAML}`,
    shown: [/changed by hand: .*homeserver\.yaml/, /-\s+max_upload_size: 900M/, /\+\s+max_upload_size: 10M/],
    repaired: `grep -q 'max_upload_size: 10M' ${YAML}`,
  },
  {
    what: "a container's confinement loosened",
    edit: `sed -i '/^DropCapability=/d' ${CONTAINER}; systemctl --user daemon-reload`,
    shown: [/changed by hand: .*hearth-caddy\.container/, /\+ DropCapability=CHOWN /],
    repaired: `grep -q '^DropCapability=CHOWN ' ${CONTAINER}`,
  },
  {
    // (Caddy's would not stay stopped: its socket starts it for the next request.)
    what: "a stopped service",
    edit: "systemctl --user stop hearth-synapse.service",
    shown: [
      /changed by hand: .*hearth-synapse\.service/,
      /hearth-synapse\.service[\s\S]*state\s*: "\w+"\s*=> "running"/,
    ],
    repaired: "systemctl --user is-active --quiet hearth-synapse.service",
  },
  {
    what: "a removed package",
    edit: "dpkg --force-depends -r uidmap",
    as: "root",
    shown: [/changed by hand: .*uidmap/],
    repaired: "dpkg -s uidmap | grep -q '^Status: install ok installed'",
  },
  {
    what: "a timer switched off",
    edit: "systemctl --user disable --now hearth-maintenance.timer",
    shown: [/changed by hand: .*hearth-maintenance\.timer/],
    repaired: "systemctl --user is-enabled --quiet hearth-maintenance.timer",
  },
  {
    what: "lingering switched off, so that nothing would start at boot",
    // Everything would stop some seconds after the last session; one session prevents that meanwhile.
    edit: "systemd-run --quiet --unit=held --property=User=debian --property=PAMName=login sleep 900; loginctl disable-linger debian",
    as: "root",
    shown: [/linger/],
    repaired: "test -e /var/lib/systemd/linger/debian && systemctl stop held",
  },
];

let tailnet: Tailnet;
let home: HomeServer;

beforeAll(async () => {
  tailnet = await upTailnet({ name: "e2e-change-net", domain: "tail4e02.ts.net", nodes: [NAME] });
  home = await HomeServer.make(NAME, { tailnet });
  await home.up();
});

afterAll(async () => {
  await home?.remove();
  await downHost("e2e-change-net");
});

const roomIds = async () => (await home.outputs()).roomIds as Record<string, string>;

test("[A3] [H1] [H5] [H10] [H13] hand edits of every kind show in one plain preview, and one up repairs them all", async () => {
  const run = ({ as }: HandEdit, text: string) => (as === "root" ? home.sh(text) : home.asUser(text));
  for (const row of HAND_EDITS) await run(row, row.edit);
  const plan = await home.preview();
  for (const { what, shown } of HAND_EDITS) {
    const missing = shown.filter((pattern) => !pattern.test(plan.output)).map(String);
    expect({ what, missing }).toEqual({ what, missing: [] });
  }
  expect((await home.stack.preview({ args: ["--expect-no-changes"] })).ok).toBe(false);
  await home.up();
  for (const row of HAND_EDITS) await run(row, row.repaired);
  expect(await home.secondsUntilAnswering()).toBeLessThan(30);
  const quiet = await home.stack.preview({ args: ["--expect-no-changes"] });
  expect({ ok: quiet.ok, output: quiet.ok ? "" : quiet.output }).toEqual({ ok: true, output: "" });
});

describe("a retention of three days less, on a server where an admin has changed a room by hand", () => {
  let token: string;
  let before: string;
  let output: string;
  const state = async (type: string) => {
    const room = encodeURIComponent((await roomIds()).main ?? "");
    return `/client/v3/rooms/${room}/state/${type}`;
  };

  beforeAll(async () => {
    before = await home.lives();
    token = await home.logIn("alice");
    const [name, powers] = [await state("m.room.name"), await state("m.room.power_levels")];
    await home.ask("PUT", name, token, { name: "Mine" });
    await home.ask("PUT", powers, token, { ...(await home.ask("GET", powers, token)), invite: 0 });
    await home.edit({ "homeserver.retention.maxLifetime": "11d", "inactivity.window": "11d" });
    ({ output } = await home.preview());
    await home.up();
  });

  test("[A3] [H12] the room's name and powers show in the next plain preview, and up repairs them", async () => {
    expect(output).toMatch(/name\s*: "Mine"\s*=> "Main chat"/);
    expect(output).toMatch(/invite\s*: 0\s*=> 50/);
    expect(await home.ask("GET", await state("m.room.name"), token)).toEqual({ name: "Main chat" });
    expect((await home.stack.preview({ args: ["--expect-no-changes"] })).ok).toBe(true);
  });

  test("[A2] [H8] the retention shows as one edit, and only Synapse restarts", async () => {
    // Other lines of a YAML list start with the same sign; the lines of the room belong to the other test.
    const others = /- interval: 1h$|drift\s*: \[$|changed by hand to/;
    const shown = output.split("\n").filter((line) => !others.test(line));
    const diff = shown.flatMap((line) => /^\s+([-+])\s+(\S.*)$/.exec(line)?.slice(1) ?? []);
    const side = (sign: string) => diff.filter((_, index) => diff[index - 1] === sign);
    // Synapse's setting, and the same for the two jobs that use it; each line differs only in this value.
    const days = (text: string) =>
      text.replace("14d", "11d").replace(/^--(max-lifetime|window) 1209600/, "--$1 950400");
    expect(side("-")).toEqual(
      expect.arrayContaining(["max_lifetime: 14d", "--max-lifetime 1209600 \\", "--window 1209600 \\"]),
    );
    expect(side("+")).toEqual(side("-").map(days));
    expect(output).toContain("restart hearth-synapse.service");
    expect(output).not.toMatch(/(restart|reload) hearth-(postgres|caddy)/);
    const lines = (text: string) => text.trim().split("\n\n");
    const changed = lines(await home.lives()).filter((block, index) => block !== lines(before)[index]);
    expect(changed).toHaveLength(1);
    expect(changed[0]).toContain("hearth-synapse.service");
  });
});

test("[A5] [H12] a room that is removed from the stack file stays unchanged, as the preview says, and is managed again later", async () => {
  const before = await roomIds();
  await home.edit({ "rooms.rooms.main": undefined });
  expect((await home.preview()).output).toMatch(/Room: \(delete\[retain\]\)/);
  await home.up();
  const token = await home.logIn("alice");
  const { joined_rooms: joined } = await home.ask("GET", "/client/v3/joined_rooms", token);
  expect(joined).toContain(before.main);
  await home.reset();
  await home.giveSecret("tunnel.authKey", tailnet.keys.valid);
  // This up also brings back the retention.
  await home.up();
  expect(await roomIds()).toEqual(before);
});

test("[A4] an image that does not exist is refused before the swap; the service stays up", async () => {
  const before = await home.lives();
  await home.edit({ "proxy.image": "docker.io/library/caddy:0.0.0-not-there" });
  const result = await home.stack.up({ args: ["--skip-preview"] });
  expect(result.ok).toBe(false);
  expect(result.output).toMatch(/docker\.io\/library\/caddy:0\.0\.0-not-there/);
  expect(result.output).not.toMatch(/^\s+at .*\.(ts|js):\d+/m);
  expect(await home.lives()).toBe(before);
  await home.reset();
  await home.giveSecret("tunnel.authKey", tailnet.keys.valid);
});

test("[A4] a setting with which Synapse cannot start is refused by Synapse itself; the service stays up", async () => {
  const before = await home.lives();
  await home.edit({ "homeserver.extra": { user_ips_max_age: "a while" } });
  const result = await home.stack.up({ args: ["--skip-preview"] });
  expect(result.ok).toBe(false);
  expect(result.output).toMatch(/user_ips_max_age|a while/);
  expect(await home.lives()).toBe(before);
  await home.reset();
  await home.giveSecret("tunnel.authKey", tailnet.keys.valid);
});

test("[A5] [H5] destroy stops everything, switches Funnel off and keeps all data; up continues with it", async () => {
  const [secrets, password, rooms] = [
    await home.podmanSecrets(),
    await home.password("alice"),
    await roomIds(),
  ];
  const token = await home.logIn("alice");
  const { content_uri: medium } = await home.ask("POST", "/media/v3/upload", token, { kept: true });
  const destroyed = await home.stack.destroy();
  expect({ ok: destroyed.ok, output: destroyed.ok ? "" : destroyed.output }).toEqual({
    ok: true,
    output: "",
  });
  expect(await home.asUser("podman ps --quiet | wc -l")).toBe("0\n");
  const units =
    "systemctl --user list-units --plain --no-legend --state=running,listening,waiting 'hearth-*'";
  expect(await home.asUser(units)).toBe("");
  expect(await home.status()).not.toBe(200);
  expect(await home.sh("tailscale serve status --json")).not.toContain("AllowFunnel");
  await home.asUser("test -s ~/.local/share/hearth/postgres/data/PG_VERSION");
  await home.up();
  expect(await home.secondsUntilAnswering()).toBeLessThan(30);
  expect(await home.podmanSecrets()).toEqual(secrets);
  expect([await home.password("alice"), await roomIds()]).toEqual([password, rooms]);
  // The old login, and with it the old database, is still valid; so are the old password and the old media.
  const download = `/client/v1/media/download/${String(medium).replace("mxc://", "")}`;
  expect(await home.ask("GET", download, token)).toEqual({ kept: true });
  expect(await home.logIn("alice")).toMatch(/^syt_/);
});
