import { status } from "@grpc/grpc-js";
import { questions } from "../../components/hosts/facts";
import { knock } from "../../provider/matrix/verification/network";
import { type Properties, toProperties } from "../../provider/protocol/values";
import { downHost, type Host, onHost, powerCutHost, upHost } from "../../sandbox";
import { sh } from "../support/host-programs";
import { eventually } from "../support/jobs";
import { changed, DEBIAN_13, fixture, releasesOf, runProgram } from "../support/program";
import { InitFailed, ProviderClient, type StoredResource } from "../support/provider-client";
import { failure } from "../support/release-host";

// The firewall of a stack on one host, in acts: refused, wrong, right, changed by hand, wrong again, booted, removed.

const NAME = `firewall-${process.pid}`;
const URN = `urn:pulumi:test::hearth::hearth-host:index:Release::${NAME}-firewall`;
const HOST_URN = `urn:pulumi:test::hearth::hearth-host:index:Host::${NAME}`;
const CONFIRM_SECONDS = 10;

/** Ports of the stack's proxy, and one that the operator opens for one network of the host. */
const OPEN = [80, 443, 8448];
const FOR_GUESTS = 9100;
/** Programs listen there, but nothing opens them. */
const CLOSED = [5432, 8008, 8123];

/**
 * What others have on the host: a table like that of a container engine, which forwards a port of the host to a guest, and the guest,
 * in a network of its own, with IPv4 and IPv6.
 */
const GUEST = `set -eu
ip netns add guest
ip link add br-guest type bridge
ip link add guest0 type veth peer name eth0 netns guest
ip link set guest0 master br-guest up
ip address add 172.30.0.1/24 dev br-guest; ip -6 address add fd30::1/64 dev br-guest nodad; ip link set br-guest up
ip -n guest address add 172.30.0.2/24 dev eth0; ip -n guest -6 address add fd30::2/64 dev eth0 nodad
ip -n guest link set eth0 up; ip -n guest link set lo up; ip -n guest route add default via 172.30.0.1
sysctl -q -w net.ipv4.ip_forward=1
nft -f - <<'END'
table ip engine {
  chain publish { type nat hook prerouting priority dstnat; tcp dport 8090 dnat to 172.30.0.2:80; }
  chain forward { type filter hook forward priority filter; policy drop; iifname "br-guest" accept; oifname "br-guest" accept; }
}
table inet banned {
  set addresses { type ipv4_addr; elements = { 192.0.2.66 } }
  chain input { type filter hook input priority filter - 1; policy accept; ip saddr @addresses tcp dport 22 reject; }
}
END
listen() { name=$1; shift; systemd-run --quiet --unit="$name" "$@"; }
listen listen systemd-socket-activate --accept --inetd ${[...OPEN, FOR_GUESTS, ...CLOSED, 53].map((port) => `-l ${port}`).join(" ")} /bin/cat
listen listen-guest ip netns exec guest systemd-socket-activate --accept --inetd -l 80 /bin/cat
until ip netns exec guest bash -c '</dev/tcp/172.30.0.1/8123' && bash -c '</dev/tcp/172.30.0.2/80'; do sleep 0.1; done 2>/dev/null
`;

let host: Host;
let provider: ProviderClient;
let stored: StoredResource;
/** All rules of the host before the first change. */
let before: string;

const rules = () => sh(host, "nft -s list ruleset");
const own = () => sh(host, "nft -s list table inet hearth");
const connection = (login: object = {}) => ({
  ...{ name: NAME, transport: "ssh", address: NAME, sshConfigFile: host.sshConfigFile, become: "none" },
  ...login,
});

/** What the program asks for on a host whose sshd has these ports. */
async function wanted(sshPorts: number[] = [22], open: object[] = []): Promise<Properties> {
  const section = {
    host: "vps",
    confirm: `${CONFIRM_SECONDS}s`,
    open: [{ port: FOR_GUESTS, from: ["172.30.0.0/24", "fd30::/64"] }, ...open],
  };
  const run = await runProgram(changed(fixture("minimal"), { firewall: section }), {
    ...DEBIAN_13,
    sshPorts,
  });
  const inputs = toProperties({ ...releasesOf(run).firewall, connection: connection() });
  const { inputs: checked, faults } = await provider.check(URN, inputs, stored?.inputs ?? {});
  expect(faults).toEqual([]);
  return checked;
}

/** What a program outside sees at each port. */
async function outside(ports: number[]): Promise<Record<string, string>> {
  const seen = ports.map(async (port) => [port, await knock({}, host.address, port, 1000)] as const);
  return Object.fromEntries(await Promise.all(seen));
}

/** The ports that a guest on the host can reach, at the host's address for it. */
async function reachedByGuest(address: string, ports: number[]): Promise<number[]> {
  const tries = ports.map(
    (port) => `{ timeout 1 bash -c '</dev/tcp/${address}/${port}' && echo ${port}; } 2>/dev/null &`,
  );
  const { stdout } = await onHost(host, [
    "ip",
    "netns",
    "exec",
    "guest",
    "sh",
    "-c",
    `${tries.join("\n")}\nwait`,
  ]);
  return stdout
    .split("\n")
    .filter(Boolean)
    .map(Number)
    .sort((one, other) => one - other);
}

const states = (ports: number[], state: string) => Object.fromEntries(ports.map((port) => [port, state]));

async function sshPorts(login: object = {}, rootless = false): Promise<unknown> {
  const inputs = {
    connection: connection(login),
    rootless,
    memory: {},
    ...questions(rootless ? "quadlet" : "native", true),
  };
  const checked = await provider.check(HOST_URN, toProperties(inputs));
  const facts = Object((await provider.create(HOST_URN, checked.inputs, true)).outputs.facts);
  return facts.programs["ssh-ports"];
}

beforeAll(async () => {
  provider = await ProviderClient.start();
  host = await upHost({ name: NAME });
  await sh(host, "apt-get update -qq; apt-get install -qq -y nftables >/dev/null 2>&1");
  await sh(host, GUEST);
  before = await rules();
});
afterAll(async () => {
  await provider?.stop();
  await downHost(NAME);
});

test("[V11] the ports of sshd are those where it really listens, however the look becomes root", async () => {
  expect(await sshPorts()).toBe("22");
  await sh(host, "printf 'Port 22\\nPort 2222\\n' >/etc/ssh/sshd_config.d/ports.conf; systemctl restart ssh");
  expect(await sshPorts()).toBe("22,2222");
  expect(await sshPorts({ user: "debian", become: "sudo" })).toBe("22,2222");
  // Where systemd listens for sshd.
  await sh(host, "rm /etc/ssh/sshd_config.d/ports.conf; systemctl stop ssh; systemctl start ssh.socket");
  expect(await sshPorts()).toBe("22");
  await sh(host, "systemctl stop ssh.socket; systemctl start ssh");
});

test("[V11] another firewall on the host is named, with the fix, and nothing is touched", async () => {
  await sh(
    host,
    "nft 'table ip filter { chain INPUT { type filter hook input priority 0; policy drop; accept; }; }'",
  );
  const occupied = await rules();
  const inputs = await wanted();
  const words =
    /the table ip filter of nftables drops incoming packets on this host\n[\s\S]*fix: remove it \(nft delete table ip filter\)[\s\S]*enabled: false/;
  for (const preview of [true, false]) {
    const { code, details } = await failure(provider.create(URN, inputs, preview));
    expect([code, details]).toEqual([status.FAILED_PRECONDITION, expect.stringMatching(words)]);
  }
  expect(await rules()).toBe(occupied);
  expect(await sh(host, "ls -d /etc/hearth /usr/local/lib/hearth 2>&1 || true")).not.toMatch(/^\//m);
  await sh(host, "nft delete table ip filter");
});

test("[V11] [A4] a first firewall that locks the operator out goes again by itself", async () => {
  // As if sshd had been moved between the look and the change.
  const { code, details } = await failure(provider.create(URN, await wanted([2222])));
  expect(code).toBe(status.ABORTED);
  expect(details).toContain(
    `no new login confirmed the change within ${CONFIRM_SECONDS} s: it would have locked you out`,
  );
  expect(await rules()).toBe(before);
  expect(await sh(host, "systemctl is-enabled hearth-firewall.service || true")).toBe("not-found");
});

test("[V11] open is what the services and the operator name; all else is silent, over IPv4 and IPv6", async () => {
  stored = await provider.create(URN, await wanted());
  expect(await outside([22, ...OPEN])).toEqual(states([22, ...OPEN], "open"));
  expect(await outside([FOR_GUESTS, ...CLOSED])).toEqual(states([FOR_GUESTS, ...CLOSED], "silent"));
  const tried = [22, ...OPEN, FOR_GUESTS, ...CLOSED];
  const reached = [22, 80, 443, 8448, FOR_GUESTS];
  expect(await reachedByGuest("172.30.0.1", tried)).toEqual(reached);
  expect(await reachedByGuest("fd30::1", tried)).toEqual(reached);
  await sh(host, "ping -q -c 1 -W 5 fd30::2; ip netns exec guest ping -q -c 1 -W 5 fd30::1");
});

test("[V11] guests of others keep what they have: published ports, names, and their rules", async () => {
  expect(await outside([8090])).toEqual({ 8090: "open" });
  expect(await reachedByGuest("172.30.0.1", [53])).toEqual([53]);
  expect(
    (await rules())
      .replace(`${await own()}\n`, "")
      .replace(await own(), "")
      .trim(),
  ).toBe(before.trim());
});

test("[A1] what is in force is no difference", async () => {
  stored = await read();
  expect(await provider.diff(URN, stored.inputs, await wanted())).toEqual({});
});

test("[V11] [A2] a port that the operator opens is a line of the preview, and opens without an interruption", async () => {
  const news = await wanted([22], [{ port: 8123, protocol: "tcp" }]);
  expect(await provider.diff(URN, stored.inputs, news)).toEqual({
    'files["/etc/hearth/firewall/rules.nft"].content': "UPDATE",
  });
  provider.takeLogs("info");
  await provider.update(URN, stored, news, true);
  expect(provider.takeLogs("info").join("\n")).toContain("will reload hearth-firewall.service");
  stored = await provider.update(URN, stored, news);
  expect(await outside([8123])).toEqual({ 8123: "open" });
  stored = await provider.update(URN, stored, await wanted());
  expect(await outside([8123])).toEqual({ 8123: "silent" });
});

test("[A3] rules that were changed or flushed by hand are noticed by the next look and repaired by the next up", async () => {
  const good = await own();
  const look = async () => {
    const seen = await provider.read(URN, stored).catch((error) => error);
    expect(seen).toBeInstanceOf(InitFailed);
    return seen as InitFailed;
  };
  await sh(host, "nft add rule inet hearth input tcp dport 8123 accept");
  expect((await look()).reasons.join()).toContain("the rules of the table inet hearth were changed by hand");
  await sh(host, "nft flush ruleset");
  const seen = await look();
  expect(seen.reasons.join()).toContain("the table inet hearth is not loaded, so all ports are open");
  stored = await provider.update(URN, seen.stored, await wanted());
  expect(await own()).toBe(good);
  stored = await read();
});

test("[V11] [A4] rules that lock the operator out return to the ones before by themselves", async () => {
  const good = await own();
  const started = Date.now();
  const { code, details } = await failure(provider.update(URN, stored, await wanted([2222])));
  await sh(host, "true");
  console.log(
    `locked out: a login works ${((Date.now() - started) / 1000).toFixed(1)} s after the start of the change`,
  );
  expect(code).toBe(status.ABORTED);
  expect(details).toMatch(/was rolled back: step \d+\/\d+ confirm: no new login confirmed the change/);
  expect(await own()).toBe(good);
  stored = await read();
  expect(await provider.diff(URN, stored.inputs, await wanted())).toEqual({});
});

test("[V11] [A4] a power cut while a change waits for the login: the boot brings the rules from before, earlier than any service", async () => {
  const good = await own();
  provider.logs.splice(0);
  const cut = failure(provider.update(URN, stored, await wanted([2222])));
  const waits = async () => provider.logs.some(({ message }) => message.includes("waiting for a new login"));
  expect(await eventually(waits)).toBe(true);
  await powerCutHost(NAME);
  await upHost({ name: NAME });
  expect((await cut).details).toMatch(/cut off/);
  expect(await own()).toBe(good);
  const started = async (unit: string) =>
    Number(await sh(host, `systemctl show -P ActiveEnterTimestampMonotonic ${unit}`));
  const [firewall, ...others] = await Promise.all(
    ["hearth-firewall.service", "sysinit.target", "network-pre.target", "ssh.service"].map(started),
  );
  expect(others.filter((time) => time === 0 || time < (firewall ?? 0))).toEqual([]);
  stored = await read();
  expect(await provider.diff(URN, stored.inputs, await wanted())).toEqual({});
});

test("[A5] without the release the host has no firewall again", async () => {
  await provider.delete(URN, stored);
  expect(await rules()).toBe("");
  expect(await sh(host, "ls -d /etc/hearth /etc/systemd/system/hearth-* 2>&1 || true")).not.toMatch(/^\//m);
});

async function read(): Promise<StoredResource> {
  const found = await provider.read(URN, stored);
  if (found === undefined) throw new Error("the release is gone");
  return found;
}
