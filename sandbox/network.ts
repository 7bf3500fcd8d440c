import fs from "node:fs/promises";
import { SandboxError } from "./errors";
import { run, tryRun } from "./process";
import { type StateDirectory, writeFileAtomically } from "./state";
import { addressIn, chooseSubnet, overlaps, parseRange } from "./subnet";

interface Address {
  ifname: string;
  addr_info: { local?: string; prefixlen?: number }[];
}

/** The sandbox's /24, chosen once and kept; chosen again if it collides and no bridge uses it. */
export async function sandboxSubnet(state: StateDirectory): Promise<string> {
  const file = state.path("network");
  const stored = (await fs.readFile(file, "utf8").catch(() => "")).trim();
  const bridgeAddress = await addressOfBridge(state);
  if (stored && bridgeAddress === addressIn(stored, 1)) return stored;
  const taken = await takenRanges(state);
  const storedRange = parseRange(stored);
  const free = storedRange && !taken.some((range) => collides(range, stored));
  if (stored && free) return stored;
  const chosen = chooseSubnet(taken, Number.parseInt(state.tag.slice(0, 2), 16));
  if (!chosen) throw new SandboxError("no free subnet for the sandbox: routes cover all of 10.213.0.0/16.");
  await writeFileAtomically(file, `${chosen}\n`);
  return chosen;
}

/** Creates the bridge, its address, forwarding and NAT, if they are missing. Call under the `shared` lock. */
export async function ensureNetwork(state: StateDirectory): Promise<string> {
  const subnet = await sandboxSubnet(state);
  const address = `${addressIn(subnet, 1)}/24`;
  if ((await addressOfBridge(state)) !== addressIn(subnet, 1)) {
    await tryRun("ip", ["link", "delete", state.bridge]);
    await run("ip", ["link", "add", state.bridge, "type", "bridge"]);
    await run("ip", ["address", "add", address, "dev", state.bridge]);
    await run("ip", ["link", "set", state.bridge, "up"]);
    await plugCablesIn(state);
  }
  await fs.writeFile("/proc/sys/net/ipv4/ip_forward", "1\n");
  await run("nft", ["-f", "-"], { input: natRules(state, subnet) });
  await passThroughForeignFirewalls(state);
  return subnet;
}

/** Removes bridge and firewall rules, if they exist. Call under the `shared` lock. */
export async function removeNetwork(state: StateDirectory): Promise<void> {
  await tryRun("ip", ["link", "delete", state.bridge]);
  await tryRun("nft", ["delete", "table", "ip", state.firewallTable]);
  for (const rule of await ownForeignRules(state)) {
    await tryRun("nft", [
      "delete",
      "rule",
      rule.family,
      rule.table,
      rule.chain,
      "handle",
      String(rule.handle),
    ]);
  }
}

/** Removes this machine's end of a host's cable, if it still exists after the container ended. */
export async function removeCable(machine: string): Promise<void> {
  await tryRun("ip", ["link", "delete", `vb-${machine}`]);
}

/** Connects hosts that outlived their bridge (somebody removed it) to the new one. */
async function plugCablesIn(state: StateDirectory): Promise<void> {
  for (const link of await fs.readdir("/sys/class/net")) {
    if (link.startsWith(`vb-${state.tag}-`))
      await run("ip", ["link", "set", link, "master", state.bridge, "up"]);
  }
}

function natRules(state: StateDirectory, subnet: string): string {
  const table = `table ip ${state.firewallTable}`;
  return `${table}
delete ${table}
${table} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${subnet} ip daddr != ${subnet} masquerade
  }
}
`;
}

async function addressOfBridge(state: StateDirectory): Promise<string | undefined> {
  const shown = await tryRun("ip", ["-j", "-4", "address", "show", "dev", state.bridge]);
  if (shown.code !== 0) return undefined;
  const links: Address[] = JSON.parse(shown.stdout || "[]");
  return links.find((link) => link.ifname === state.bridge)?.addr_info[0]?.local;
}

/** Ranges that this machine routes elsewhere, and its resolvers. */
async function takenRanges(state: StateDirectory): Promise<string[]> {
  const routes: { dst: string; dev?: string }[] = JSON.parse(
    (await run("ip", ["-j", "-4", "route", "show", "table", "all"])) || "[]",
  );
  const resolvers =
    (await fs.readFile("/etc/resolv.conf", "utf8").catch(() => "")).match(/[\d.]{7,15}/g) ?? [];
  return [...routes.filter((route) => route.dev !== state.bridge).map((route) => route.dst), ...resolvers];
}

function collides(taken: string, subnet: string): boolean {
  const [a, b] = [parseRange(taken), parseRange(subnet)];
  return a !== undefined && b !== undefined && a.prefix > 0 && overlaps(a, b);
}

interface NftObject {
  chain?: { family: string; table: string; name: string; hook?: string; policy?: string };
  rule?: { family: string; table: string; chain: string; handle: number; comment?: string };
}

/**
 * An accept in our own table does not help if another table drops unknown packets (Docker configures its
 * FORWARD chain this way). Only in that case one rule for each direction is inserted before, marked with our name.
 */
async function passThroughForeignFirewalls(state: StateDirectory): Promise<void> {
  const objects = await ruleset();
  const own = await ownForeignRules(state);
  for (const { chain } of objects) {
    if (chain?.hook !== "forward" || chain.policy !== "drop") continue;
    if (own.some((rule) => rule.table === chain.table && rule.chain === chain.name)) continue;
    for (const direction of ["iifname", "oifname"]) {
      const place = ["insert", "rule", chain.family, chain.table, chain.name];
      await run("nft", [...place, direction, state.bridge, "accept", "comment", `"${state.firewallTable}"`]);
    }
  }
}

async function ownForeignRules(state: StateDirectory): Promise<NonNullable<NftObject["rule"]>[]> {
  return (await ruleset()).flatMap(({ rule }) =>
    rule && rule.comment === state.firewallTable ? [rule] : [],
  );
}

async function ruleset(): Promise<NftObject[]> {
  const listed: { nftables: NftObject[] } = JSON.parse(await run("nft", ["-j", "list", "ruleset"]));
  return listed.nftables;
}
