import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { renderRules, renderUnit } from "../../components/firewall/render";
import { firewallSchema } from "../../config-schemas/firewall/schema";
import { faultsOf, stackWith } from "../config-schemas/support";
import { changed, DEBIAN_13, fixture, releasesOf, runProgram } from "../support/program";

const on = (section: object = {}) => changed(fixture("minimal"), { firewall: { host: "vps", ...section } });
const RULES = "/etc/hearth/firewall/rules.nft";

/** The rules of a plan that a name in a comment stands before. */
function rulesOf(plan: Partial<Parameters<typeof renderRules>[0]>): Record<string, string[]> {
  const text = renderRules({ ssh: [], ports: [], open: [], ...plan });
  const groups: Record<string, string[]> = {};
  let group: string[] = [];
  for (const line of text.split("\n").map((one) => one.trim())) {
    if (line.startsWith("# ")) {
      group = [];
      groups[line.slice(2, -1)] = group;
    } else if (line.endsWith(" accept")) group.push(line);
  }
  return groups;
}

const open = (...entries: object[]) => firewallSchema.parse({ host: "vps", open: entries }).open;

describe("[V11] the rules", () => {
  it("open the ports of sshd and the public ports of the services, and no other", () => {
    const ports = [
      { service: "homeserver", address: "127.0.0.1", port: 8008, from: "host" as const },
      { service: "proxy", port: 80, from: "world" as const },
      { service: "proxy", address: "::", port: 443, from: "world" as const },
      { service: "proxy", address: "192.0.2.10", port: 8443, from: "world" as const },
      { service: "proxy", address: "2001:db8::10", port: 8443, from: "world" as const },
    ];
    expect(rulesOf({ ssh: [22, 2222], ports })).toMatchObject({
      sshd: ["tcp dport { 22, 2222 } accept"],
      proxy: [
        "tcp dport { 80, 443 } accept",
        "ip daddr 192.0.2.10 tcp dport { 8443 } accept",
        "ip6 daddr 2001:db8::10 tcp dport { 8443 } accept",
      ],
    });
    expect(renderRules({ ssh: [22], ports, open: [] })).not.toContain("8008");
  });

  it("open what the operator names, for the addresses that they name", () => {
    const entries = open(
      { port: 51820, protocol: "udp" },
      { port: 9100, from: ["192.0.2.7", "198.51.100.0/24", "2001:db8::/32"] },
    );
    expect(rulesOf({ open: entries })).toMatchObject({
      "hearth:firewall.open": [
        "udp dport 51820 accept",
        "ip saddr 192.0.2.7 tcp dport 9100 accept",
        "ip saddr 198.51.100.0/24 tcp dport 9100 accept",
        "ip6 saddr 2001:db8::/32 tcp dport 9100 accept",
      ],
    });
  });

  it("concern one table, and only packets for the host itself", () => {
    const text = renderRules({ ssh: [22], ports: [], open: [] });
    expect(text.match(/^(delete )?table .*$/gm)).toEqual([
      "table inet hearth",
      "delete table inet hearth",
      "table inet hearth {",
    ]);
    expect(text.match(/hook \w+/g)).toEqual(["hook input"]);
    expect(text).not.toContain("flush");
  });

  it("leave out what a host without sshd, or a stack without more ports, does not need", () => {
    expect(Object.keys(rulesOf({}))).not.toEqual(expect.arrayContaining(["sshd"]));
    expect(Object.keys(rulesOf({}))).not.toEqual(expect.arrayContaining(["hearth:firewall.open"]));
  });
});

describe("the release", () => {
  const releaseOf = async (stack = on()) => releasesOf(await runProgram(stack)).firewall;

  it("[V11] is confirmed by a new login, and opens the ports of this stack's services", async () => {
    const release = await releaseOf();
    expect(release).toMatchObject({ scope: "system", confirm: { seconds: 30 } });
    expect(release?.files[RULES]?.content).toContain("tcp dport { 22 } accept");
    expect(release?.files[RULES]?.content).toContain("tcp dport { 80, 443, 8448 } accept");
    const closed = await releaseOf(changed(on(), { "proxy.federationPort": false }));
    expect(closed?.files[RULES]?.content).toContain("tcp dport { 80, 443 } accept");
  });

  it("[V11] is root's on a host whose services belong to a user, and opens their ports there", async () => {
    const stack = changed(on({ confirm: "20s" }), {
      hosts: { vps: { address: "vps.example.org", user: "debian", become: "sudo", runtime: "quadlet" } },
      proxy: { host: "vps", kind: "caddy", listen: { address: "::", port: 8443 } },
    });
    const release = await releaseOf(stack);
    expect(release).toMatchObject({ scope: "system", confirm: { seconds: 20 } });
    expect(release?.files[RULES]?.content).toContain("tcp dport { 8443, 8448 } accept");
  });

  it("is there only if the stack file has the section and leaves it on", async () => {
    expect(await releaseOf(fixture("minimal"))).toBeUndefined();
    expect(await releaseOf(on({ enabled: false }))).toBeUndefined();
  });

  it("[V11] loads the rules before the network and before all services", () => {
    const unit = renderUnit("/usr/sbin/nft", RULES);
    expect(unit).toContain("\nBefore=network-pre.target sysinit.target shutdown.target\n");
    expect(unit).toContain("\nWantedBy=sysinit.target\n");
  });

  it("runs again what is checked from outside when it changes", async () => {
    const { resources } = await runProgram(on(), DEBIAN_13);
    const checks = resources.find(({ type }) => type.endsWith(":Verification"));
    expect(checks?.inputs.revisions).toMatchObject({ firewall: "digest-of-vps-firewall" });
    expect(checks?.dependsOn).toContain("vps-firewall");
  });
});

it.each([
  [{ open: [{ port: 0 }] }, /^hearth:firewall\.open\[0\]\.port: /],
  [{ open: [{ port: 22, protocol: "sctp" }] }, /^hearth:firewall\.open\[0\]\.protocol: /],
  [
    { open: [{ port: 22, from: ["example.org"] }] },
    /^hearth:firewall\.open\[0\]\.from\[0\]: is not an address or a range of addresses/,
  ],
  [{ open: [{ port: 22, from: ["192.0.2.1/33"] }] }, /from\[0\]: /],
  [{ open: [{ port: 22, from: ['192.0.2.1 accept; #"'] }] }, /from\[0\]: /],
  [{ open: [{ port: 22, from: [] }] }, /^hearth:firewall\.open\[0\]\.from: /],
  [{ ports: [22] }, /^hearth:firewall\.ports: /],
])("[A7] a section %j is refused at its key", (section, message) => {
  const faults = faultsOf(stackWith({ firewall: { host: "vps", ...section } }));
  expect(faults).toEqual([expect.stringMatching(message)]);
});

describe("[V11] whether another firewall is on the host", () => {
  const PROGRAM = join(__dirname, "../../components/firewall/programs/other_rulers.sh");
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "hearth-rulers-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), 0o755);
  }

  /** What the program says on a host with these programs in its path; the answers of `nft` are from real hosts. */
  function look(programs: Record<string, string>): string {
    const all = { systemctl: "exit 3", ...programs };
    for (const [name, script] of Object.entries(all)) write(`bin/${name}`, `#!/bin/sh\n${script}\n`);
    for (const name of ["awk", "sort", "head", "grep", "cat", "sh", "printf"]) {
      const path = execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
      if (path.startsWith("/")) write(`bin/${name}`, `#!/bin/sh\nexec ${path} "$@"\n`);
    }
    const env = { PATH: join(root, "bin") };
    try {
      return execFileSync("/bin/sh", [PROGRAM, "inet hearth", root], { env, encoding: "utf8" });
    } catch (error) {
      return String((error as { stdout: string }).stdout);
    }
  }
  const nft = (ruleset: string) => ({ nft: `cat <<'END'\n${ruleset}END` });

  const OURS = renderRules({ ssh: [22], ports: [], open: [] })
    .replace(/^[\s\S]*?\n\n/, "")
    .replaceAll("  ", "\t");
  const ENGINE = `table ip filter {
	chain DOCKER {
		ip daddr 172.17.0.2 iifname != "docker0" oifname "docker0" tcp dport 80 counter accept
		iifname != "docker0" oifname "docker0" counter drop
	}

	chain FORWARD {
		type filter hook forward priority filter; policy drop;
		counter jump DOCKER-USER
	}
}
table ip6 filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
}
table inet netavark {
	chain INPUT {
		type filter hook input priority filter; policy accept;
		ip saddr 10.88.0.0/16 meta l4proto { tcp, udp } th dport 53 accept
	}
}
table inet f2b-table {
	set addr-set-sshd {
		type ipv4_addr
	}

	chain f2b-chain {
		type filter hook input priority filter - 1; policy accept;
		tcp dport 22 ip saddr @addr-set-sshd reject with icmp port-unreachable
	}
}
`;
  const CHAIN = (rules: string, policy = "accept") =>
    `table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy ${policy};\n${rules}\t}\n}\n`;

  it.each([
    ["nothing", nft("")],
    ["its own table and those of container engines and fail2ban", nft(OURS + ENGINE)],
    [
      "a chain that ends with a drop, but not for incoming packets",
      nft("table inet x {\n\tchain other {\n\t\tdrop\n\t}\n}\n"),
    ],
    [
      "iptables that accepts",
      { iptables: "echo '-P INPUT ACCEPT'; echo '-A INPUT -s 192.0.2.66/32 -j DROP'" },
    ],
  ])("is answered with no by: %s", (_what, programs) => {
    expect(look(programs)).toBe("");
  });

  it.each([
    [
      "a policy",
      nft(OURS + CHAIN("\t\tct state established accept\n", "drop")),
      "the table ip filter of nftables",
    ],
    [
      "a last rule",
      nft(CHAIN("\t\tcounter reject with icmp host-prohibited\n")),
      "the table ip filter of nftables",
    ],
    [
      "a last rule of iptables",
      nft(CHAIN('\t\tcounter xt target "REJECT"\n')),
      "the table ip filter of nftables",
    ],
    [
      "iptables where there is no nft",
      { iptables: "echo '-P INPUT DROP'" },
      "iptables drops incoming packets",
    ],
    [
      "IPv6 alone",
      { ip6tables: "echo '-P INPUT ACCEPT'; echo '-A INPUT -j REJECT --reject-with icmp6-port-unreachable'" },
      "iptables drops incoming packets",
    ],
    ["firewalld", { systemctl: '[ "$3" = firewalld.service ]' }, "firewalld is the firewall"],
  ])("is answered with yes, once and with the fix, by: %s", (_what, programs, words) => {
    const lines = look(programs).split("\n").filter(Boolean);
    expect(lines).toEqual([expect.stringMatching(new RegExp(`^${words}.*\\t.*\`enabled: false\``))]);
  });

  it("is answered with yes by ufw alone, although its rules are in the kernel too", () => {
    write("etc/ufw/ufw.conf", "# comment\nENABLED=yes\nLOGLEVEL=low\n");
    expect(look(nft(CHAIN("", "drop")))).toMatch(
      /^ufw is the firewall of this host[^\n]*\tdisable it: ufw disable, or/,
    );
    write("etc/ufw/ufw.conf", "ENABLED=no\n");
    expect(look(nft(""))).toBe("");
  });
});
