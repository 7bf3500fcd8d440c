import { isIPv6 } from "node:net";
import type { FirewallConfig } from "../../config-schemas/firewall/schema";
import type { HostPort } from "../../runtimes/listener";

/** Family and name of Hearth's own table. */
export const TABLE = "inet hearth";

/** What may reach a host. */
export interface FirewallPlan {
  /** Ports of sshd. */
  ssh: readonly number[];
  /** All ports of the host's services. */
  ports: readonly HostPort[];
  /** What the operator opens. */
  open: FirewallConfig["open"];
}

/** Interfaces of containers and virtual machines that others manage. */
const BRIDGES = 'iifname { "docker*", "br-*", "podman*", "cni-podman*", "virbr*" }';

/** Without these no connection works: answers, errors of routers, addresses and neighbours. */
const ALWAYS: readonly string[] = [
  "# Programs on this host, and answers to what it sent.",
  'iifname "lo" accept',
  "ct state vmap { established : accept, related : accept, invalid : drop }",
  "# Errors and ping; IPv6 also finds its neighbours and routers with ICMP.",
  "icmp type { destination-unreachable, time-exceeded, parameter-problem, echo-request } accept",
  "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, echo-request, mld-listener-query, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept",
  "# Answers of DHCP servers.",
  "udp sport 67 udp dport 68 accept",
  "ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept",
  "# Containers and virtual machines on this host ask it for names and addresses.",
  `${BRIDGES} meta l4proto { tcp, udp } th dport 53 accept`,
  `${BRIDGES} udp dport { 67, 547 } accept`,
];

/** The file that `nft -f` loads: in one step it replaces Hearth's own table and touches no other. */
export function renderRules(plan: FirewallPlan): string {
  const rules = [...ALWAYS, ...ssh(plan.ssh), ...services(plan.ports), ...opened(plan.open)];
  return [
    "# Written by Hearth from hearth:firewall and the services of the stack: what may reach this host. All else is dropped.",
    "# Outgoing and forwarded traffic is not filtered.",
    `table ${TABLE}`,
    `delete table ${TABLE}`,
    "",
    `table ${TABLE} {`,
    "  chain input {",
    "    type filter hook input priority filter; policy drop;",
    "",
    ...rules.map((line) => `    ${line}`),
    "  }",
    "}",
    "",
  ].join("\n");
}

function ssh(ports: readonly number[]): string[] {
  return ports.length === 0 ? [] : ["# sshd.", `tcp dport ${set(ports)} accept`];
}

/** The ports for everybody and for the other host of a link, by service and by address. A link itself lets only that host in. */
function services(ports: readonly HostPort[]): string[] {
  const open = ports.filter(({ from }) => from !== "host");
  return unique(open.map(({ service }) => service)).flatMap((service) => {
    const own = open.filter((one) => one.service === service);
    const addresses = unique(own.map(({ address }) => (isEverywhere(address) ? undefined : address)));
    const rules = addresses.flatMap((address) => {
      const here = own.filter((one) => (isEverywhere(one.address) ? undefined : one.address) === address);
      return (["tcp", "udp"] as const).flatMap((protocol) => {
        const numbers = here.filter((one) => (one.protocol ?? "tcp") === protocol).map(({ port }) => port);
        if (numbers.length === 0) return [];
        return [`${match("daddr", address)}${protocol} dport ${set(numbers)} accept`];
      });
    });
    return [`# ${service}.`, ...rules];
  });
}

function isEverywhere(address: string | undefined): boolean {
  return address === undefined || address === "::" || address === "0.0.0.0";
}

function opened(open: FirewallPlan["open"]): string[] {
  const rules = open.flatMap(({ port, protocol, from = [undefined] }) =>
    from.map((source) => `${match("saddr", source)}${protocol} dport ${port} accept`),
  );
  return rules.length === 0 ? [] : ["# hearth:firewall.open.", ...rules];
}

/** Matches packets from or to an address or range; without one, all packets. */
function match(side: "saddr" | "daddr", address: string | undefined): string {
  if (address === undefined) return "";
  return `${isIPv6(address.replace(/\/.*/, "")) ? "ip6" : "ip"} ${side} ${address} `;
}

function set(ports: readonly number[]): string {
  return `{ ${unique(ports).join(", ")} }`;
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}

/**
 * Loads the rules before the network and before all ordinary services, which wait for sysinit.target.
 * @param nft path of the program
 * @param rules path of the file
 */
export function renderUnit(nft: string, rules: string): string {
  return [
    "# Written by Hearth: the firewall of this host.",
    "[Unit]",
    "Description=Firewall of Hearth",
    "DefaultDependencies=no",
    `RequiresMountsFor=${rules}`,
    "Wants=network-pre.target",
    "Before=network-pre.target sysinit.target shutdown.target",
    "# A configuration of the host's own that flushes everything at boot does so first.",
    "After=nftables.service",
    "Conflicts=shutdown.target",
    "",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    `ExecStart=${nft} -f ${rules}`,
    `ExecReload=${nft} -f ${rules}`,
    `ExecStop=${nft} 'add table ${TABLE}; delete table ${TABLE}'`,
    "CapabilityBoundingSet=CAP_NET_ADMIN",
    "NoNewPrivileges=yes",
    "ProtectSystem=full",
    "ProtectHome=yes",
    "RestrictAddressFamilies=AF_NETLINK",
    "",
    "[Install]",
    "WantedBy=sysinit.target",
    "",
  ].join("\n");
}
