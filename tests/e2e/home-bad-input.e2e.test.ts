import { downHost, upHost } from "../../sandbox";
import { type Tailnet, upTailnet } from "../../sandbox/tailnet";
import { HomeServer } from "../support/home-server";

const NAME = "e2e-home-bad";

interface BadInput {
  what: string;
  /** Edits of the stack file. */
  edit?: Record<string, unknown>;
  /** Shell text that breaks the host as root, and shell text that repairs it. */
  damage?: string;
  repair?: string;
  /** Name of the auth key in the stack. */
  key?: keyof Tailnet["keys"];
  /** The required parts of the one message: where, why, the fix. */
  says: RegExp[];
}

const NO_SUDO = { "hosts.home.become": "none" };

const BEFORE_ANYTHING: BadInput[] = [
  {
    what: "[H6] a server name that Funnel cannot serve",
    edit: { "homeserver.publicHost": "chat.example.org", "homeserver.serverName": "chat.example.org" },
    says: [/hearth:homeserver\.publicHost/, /Funnel/, /ts\.net/, /elsewhere|WireGuard|Cloudflare/],
  },
  {
    what: "[H14] a machine with too little memory",
    edit: { "homeserver.memory": "200G" },
    says: [
      /too little memory: synapse 204800( \+ [a-z ]+ \d+)+ = \d+ MiB; it has \d+ MiB/,
      /lower the `memory`/,
    ],
  },
  {
    what: "[H11] an inactivity window longer than the retention",
    edit: { "inactivity.window": "30d" },
    says: [/hearth:inactivity\.window/, /30d/, /14d/],
  },
  {
    what: "[H1] no subordinate ids, and no rights to add them",
    edit: NO_SUDO,
    damage:
      "cp -a /etc/subuid /etc/subuid.kept; cp -a /etc/subgid /etc/subgid.kept; sed -i '/^debian:/d' /etc/subuid /etc/subgid",
    repair: "mv /etc/subuid.kept /etc/subuid; mv /etc/subgid.kept /etc/subgid",
    says: [/subuid/, /usermod --add-subuids/],
  },
  {
    what: "[H1] no lingering, and no rights to enable it",
    edit: NO_SUDO,
    damage: "loginctl disable-linger debian",
    repair: "loginctl enable-linger debian",
    says: [/linger/, /loginctl enable-linger debian/],
  },
];

const AT_THE_TUNNEL: BadInput[] = [
  {
    what: "[H5] an expired auth key",
    key: "expired",
    says: [/key/i, /expired|invalid|not valid/i, /tunnel\.authKey/],
  },
  {
    what: "[H5] Funnel not allowed by the tailnet's policy",
    key: "withoutFunnel",
    says: [/Funnel/, /nodeAttrs|policy/i],
  },
];

let tailnet: Tailnet;
let home: HomeServer;

beforeAll(async () => {
  tailnet = await upTailnet({ name: "e2e-bad-net", domain: "tail4e03.ts.net", nodes: [NAME] });
  home = await HomeServer.make(NAME, { tailnet });
  await home.sh("loginctl enable-linger debian");
});

afterAll(async () => {
  await home?.remove();
  await downHost("e2e-bad-net");
});

async function refused(row: BadInput): Promise<void> {
  if (row.damage) await home.sh(row.damage);
  try {
    if (row.edit) await home.edit(row.edit);
    if (row.key) await home.giveSecret("tunnel.authKey", tailnet.keys[row.key]);
    const result = await home.stack.up({ args: ["--skip-preview"] });
    expect({ ok: result.ok, output: result.ok ? result.output : "" }).toEqual({ ok: false, output: "" });
    for (const pattern of row.says) expect(result.output).toMatch(pattern);
    expect(result.output).not.toMatch(/^\s+at .*\.(ts|js):\d+/m);
    for (const key of Object.values(tailnet.keys)) expect(result.output).not.toContain(key);
  } finally {
    if (row.repair) await home.sh(row.repair);
    await home.reset();
    await home.giveSecret("tunnel.authKey", tailnet.keys.valid);
  }
}

test.each(BEFORE_ANYTHING)("$what: one clear message before any change", async (row) => {
  await refused(row);
  expect(
    await home.asUser("ls -d ~/.config/hearth ~/.local/share/hearth 2>/dev/null || echo untouched"),
  ).toBe("untouched\n");
});

test("[H1] the Podman of Debian 12 is too old for the containers: refused with the reason", async () => {
  const old = await upHost({ name: "e2e-home-old", suite: "bookworm" });
  try {
    await home.edit({ "hosts.home.address": old.name });
    const result = await home.stack.preview();
    expect(result.ok).toBe(false);
    expect(result.output).toMatch(/Podman 4\.3[\s\S]*(Debian 13|native)/);
  } finally {
    await home.reset();
    await home.giveSecret("tunnel.authKey", tailnet.keys.valid);
    await downHost("e2e-home-old");
  }
});

test.each(AT_THE_TUNNEL)("$what: the daemon's own message and the fix", async (row) => {
  await home.sh("tailscale logout || true");
  await refused(row);
});

test("[H5] without an auth key the login link is shown, and the rest of the server runs", async () => {
  await home.sh("tailscale logout || true");
  await home.stack.cli([
    ...["config", "rm", "--stack", NAME, "--config-file", home.stack.configFile],
    ...["--path", "hearth:secrets.tunnel"],
  ]);
  const result = await home.stack.up({ args: ["--skip-preview"] });
  expect(result.ok).toBe(false);
  expect(result.output).toMatch(new RegExp(`${tailnet.controlUrl.replaceAll(".", "\\.")}/\\S+`));
  expect(result.output).toMatch(/pulumi up/);
  expect(await home.asUser("systemctl --user is-active hearth-synapse.service hearth-caddy.service")).toBe(
    "active\nactive\n",
  );
});
