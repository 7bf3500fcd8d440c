import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkedKey, keyFault } from "../../components/tunnel/wireguard";
import { committedStacks } from "../fixtures/stacks";
import { changed, type ProgramRun, releasesOf, runProgram } from "../support/program";

const PROGRAMS = join(__dirname, "../../components/tunnel/programs/wireguard");
const example = committedStacks().find(({ name }) => name === "wireguard");
if (example === undefined) throw new Error("there is no example with WireGuard");

const INTERFACE = "/etc/hearth/wireguard/hearth0.conf";
const FILTER = "/etc/hearth/wireguard/filter.nft";

/** A component has the name of its release. */
function releaseIn({ resources }: ProgramRun, name: string) {
  return resources.find((one) => one.name === name && one.type.endsWith(":Release"));
}

/** The key that the recording engine lets a host publish. */
const keyOf = (host: string) =>
  createHash("sha256").update(`publicKey of ${host}-wireguard-keys`).digest("base64");

/** The text of a file on each host. */
async function texts(file: string, changes: Record<string, unknown> = {}) {
  const run = await runProgram(changed(example!, changes));
  const at = (host: string) => {
    const release = releaseIn(run, `${host}-wireguard`);
    const files = release?.inputs.files as Record<string, { content: string }> | undefined;
    return files?.[file]?.content ?? "";
  };
  return { home: at("home"), edge: at("edge"), run };
}

describe("[W1] [W2] the two ends", () => {
  it("know each other by the published keys; home connects and keeps its router open, the edge waits for the host with the key", async () => {
    const { home, edge } = await texts(INTERFACE, { "tunnel.endpoint": "2001:db8::1", "tunnel.port": 443 });
    expect(home).toContain(`PublicKey = ${keyOf("edge")}\n`);
    expect(home).toMatch(/^Endpoint = \[2001:db8::1\]:443\nPersistentKeepalive = 25$/m);
    expect(home).not.toContain("ListenPort");
    expect(edge).toContain(`PublicKey = ${keyOf("home")}\n`);
    expect(edge).toMatch(/^ListenPort = 443$/m);
    expect(edge).not.toContain("Endpoint");
  });

  it("[A9] contain no private key: the interface gets it from its file", async () => {
    const { home, edge } = await texts(INTERFACE);
    for (const text of [home, edge]) {
      expect(text).not.toContain("PrivateKey");
      expect(text).toMatch(/^PostUp = wg set %i private-key \/etc\/hearth\/wireguard-keys\/private\.key$/m);
    }
  });

  it("home is connected after the edge waits, and the proxy comes after both", async () => {
    const { run } = await texts(INTERFACE);
    const waitsFor = (name: string) => releaseIn(run, name)?.dependsOn ?? [];
    expect(waitsFor("home-wireguard")).toContain("edge-wireguard");
    expect(waitsFor("edge-proxy")).toEqual(expect.arrayContaining(["home-wireguard", "edge-certificates"]));
  });
});

it("two hosts with one key are refused, because one is a copy of the other", () => {
  expect(keyFault(["home", "edge"], ["a", "b"])).toBeUndefined();
  expect(keyFault(["home", "edge"], [undefined, undefined])).toBeUndefined();
  expect(keyFault(["home", "edge"], ["a", "a"])).toBe(
    "home and edge have the same WireGuard key: one is a copy of the other\n  fix: on one of them remove /etc/hearth/wireguard-keys/private.key, then run `pulumi up` again",
  );
});

it.each(["", "a\nPostUp = touch /root/pwned", `${"A".repeat(43)}=\n[Peer]`, "A".repeat(44)])(
  "a host that publishes something else than a key is not believed: %j",
  (key) => {
    expect(() => checkedKey(key)).toThrow("is not a WireGuard key");
    expect(checkedKey(keyOf("home"))).toBe(keyOf("home"));
  },
);

describe("[W3] what passes the tunnel", () => {
  it("is one port at home and none on the edge, and nothing is forwarded", async () => {
    const { home, edge } = await texts(FILTER);
    expect(home.match(/dport \S+ accept/g)).toEqual(["dport 8008 accept"]);
    expect(edge).not.toContain("dport");
    for (const text of [home, edge]) {
      expect(text).toContain('iifname "hearth0" drop');
      expect(text).toContain('oifname "hearth0" drop');
      const { status, stderr } = inNetwork(`exec nft --check --file /dev/stdin`, [], text);
      expect([status, stderr]).toEqual([0, ""]);
    }
  });

  it("leads from the proxy to Synapse's socket; Synapse itself listens on no address", async () => {
    const run = await runProgram(example!);
    const { proxy, homeserver, wireguard } = releasesOf(run);
    const site = proxy?.files["/etc/hearth/proxy/sites/matrix.conf"]?.content ?? "";
    expect(site).toContain(
      "upstream synapse {\n    server 10.213.87.2:8008 max_fails=0;\n    keepalive 64;\n    keepalive_timeout 5s;\n}",
    );
    const how = proxy?.files["/etc/hearth/proxy/synapse.inc"]?.content ?? "";
    expect(how).toContain("proxy_connect_timeout 1500ms;");
    expect(how).toContain('proxy_set_header Connection "";');
    const synapse = homeserver?.files["/etc/hearth/homeserver/homeserver.yaml"]?.content ?? "";
    expect(synapse.match(/^ {2}- (path|port): .*$/gm)).toEqual([
      "  - path: /run/hearth-synapse/synapse.sock",
    ]);
    expect(wireguard?.ports).toEqual({ "10.213.87.2:8008": "hearth-wireguard-door.socket" });
    const door = wireguard?.files["/etc/systemd/system/hearth-wireguard-door.service"]?.content ?? "";
    expect(door).toMatch(/^ExecStart=.* \/run\/hearth-synapse\/synapse\.sock$/m);
    expect(door).toMatch(/^DynamicUser=yes\nSupplementaryGroups=www-data$/m);
  });

  it("with rootless containers the door runs as their user, because only this user may use the socket", async () => {
    const home = { address: "home.lan", user: "alice", become: "sudo", runtime: "quadlet" };
    const { install: _, ...homeserver } = example!.raw.homeserver as Record<string, unknown>;
    const run = await runProgram(changed(example!, { "hosts.home": home, homeserver }));
    const door =
      releasesOf(run).wireguard?.files["/etc/systemd/system/hearth-wireguard-door.service"]?.content ?? "";
    expect(door).toMatch(/^User=alice$/m);
    expect(door).toMatch(/ \/home\/alice\/\S+\/synapse\.sock$/m);
  });
});

/** Runs a shell script in a network of its own, where the real `ip` and `ss` change nothing of this machine. */
function inNetwork(script: string, args: readonly string[] = [], input = "") {
  return spawnSync("unshare", ["--net", "sh", "-c", script, "sh", ...args], { encoding: "utf8", input });
}

describe("a network or port that the host already uses", () => {
  const conflicts = (before: string, port = "") => {
    const { stdout, status, stderr } = inNetwork(`ip link set lo up; ${before}\nexec sh "$@"`, [
      ...[join(PROGRAMS, "network.sh"), "hearth0", "10.213.87.0/30", port],
    ]);
    expect(stderr).toBe("");
    return [status, stdout];
  };

  it("is none on a usual host", () => {
    expect(conflicts("ip address add 192.168.1.20/24 dev lo; ip route add default dev lo", "51820")).toEqual([
      0,
      "",
    ]);
  });

  it.each([
    ["an address", "ip address add 10.213.87.9/24 dev lo", "10.213.87.9/24 of lo"],
    ["a larger network", "ip route add 10.0.0.0/8 dev lo", "10.0.0.0/8 of lo"],
    ["one address in it", "ip route add 10.213.87.2 dev lo", "10.213.87.2 of lo"],
  ])("is named, with the fix: %s", (_what, before, named) => {
    const [status, said] = conflicts(before);
    expect(status).toBe(1);
    expect(said).toContain(
      `the tunnel's network 10.213.87.0/30 overlaps ${named}\twrite another \`subnet\` in hearth:tunnel`,
    );
  });

  it("is no conflict if it is the tunnel's own", () => {
    const own = "ip link add hearth0 type veth peer name other; ip address add 10.213.87.2/30 dev hearth0";
    expect(conflicts(`${own}; ip link set hearth0 up`, "51820")).toEqual([0, ""]);
  });

  it("names the program on the port", () => {
    const listen = `perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Proto => "udp", LocalPort => 51820) or die; open(my $f, ">", $ARGV[0]); close $f; sleep 5' "$PWD/up" >/dev/null 2>&1 &
      while [ ! -e up ]; do sleep 0.05; done`;
    const folder = mkdtempSync(join(tmpdir(), "hearth-wireguard-"));
    try {
      const [status, said] = conflicts(`cd ${folder}; ${listen}`, "51820");
      expect([status, said]).toEqual([
        1,
        "UDP port 51820 is used by perl\tstop it, or write another `port` in hearth:tunnel\n",
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the answer of the other end", () => {
  /** handshake.sh with a `wg` that says when the last handshake was, so many seconds ago. */
  const asked = (...ages: (number | undefined)[]) => {
    const folder = mkdtempSync(join(tmpdir(), "hearth-wireguard-"));
    const now = Math.floor(Date.now() / 1000);
    const lines = ages.map((age, index) => `peer${index}\\t${age === undefined ? 0 : now - age}\\n`);
    try {
      writeFileSync(join(folder, "wg"), `#!/bin/sh\nprintf '${lines.join("")}'\n`);
      chmodSync(join(folder, "wg"), 0o755);
      const { status, stderr } = spawnSync(
        "sh",
        [join(PROGRAMS, "handshake.sh"), "hearth0", "peer0", "edge.example.org", "51820"],
        { encoding: "utf8", env: { ...process.env, PATH: `${folder}:${process.env.PATH}` } },
      );
      return { status, stderr };
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  it("is one if the last handshake is recent, whatever others did", () => {
    expect(asked(120)).toEqual({ status: 0, stderr: "" });
    expect(asked(180, undefined)).toEqual({ status: 0, stderr: "" });
  });

  it.each([
    [[undefined, 5], "no answer from edge.example.org on UDP port 51820 since the tunnel was started"],
    [[400], /no answer from edge\.example\.org on UDP port 51820 for 40\d s/],
    [[], "no answer from edge.example.org on UDP port 51820 since the tunnel was started"],
  ])("is missing: %j", (ages, says) => {
    const { status, stderr } = asked(...ages);
    expect(status).toBe(1);
    expect(stderr).toMatch(says);
    expect(stderr).toContain("fix: see that edge.example.org leads to the edge");
  });
});

describe("the watch over the tunnel", () => {
  /** Runs watch.sh with these commands in place of ping, sleep and wg, until one of them ends it; returns the lines they wrote. */
  const watched = (ping: string, sleep: string) => {
    const folder = mkdtempSync(join(tmpdir(), "hearth-wireguard-"));
    const stubs = { ping, sleep, wg: 'echo "wg $*" >>"$OUT"; kill "$PPID"' };
    try {
      for (const [name, text] of Object.entries(stubs)) {
        writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
        chmodSync(join(folder, name), 0o755);
      }
      const out = join(folder, "out");
      writeFileSync(out, "");
      const args = ["hearth0", "peer0", "10.213.87.1", "edge.example.org:51820"];
      const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, OUT: out };
      spawnSync("sh", [join(PROGRAMS, "watch.sh"), ...args], { env, timeout: 20_000 });
      return readFileSync(out, "utf8").trim().split("\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const asks = 'echo "ping $*" >>"$OUT"';

  it("looks the edge's name up again after 20 questions without an answer", () => {
    expect(watched(`${asks}; exit 1`, "exit 0")).toEqual([
      ...Array(20).fill("ping -c 1 -W 1 -n -q 10.213.87.1"),
      "wg set hearth0 peer peer0 endpoint edge.example.org:51820",
    ]);
  });

  it("changes nothing while the edge answers at least sometimes", () => {
    const sometimes = `${asks}; [ $(($(wc -l <"$OUT") % 15)) -eq 0 ]`;
    const lines = watched(sometimes, '[ "$(wc -l <"$OUT")" -lt 60 ] || kill "$PPID"');
    expect(lines).toEqual(Array(60).fill("ping -c 1 -W 1 -n -q 10.213.87.1"));
  });
});
