import { nthAddress, rangeContains } from "../language/addresses";
import { type AnyRule, at, broken, type Proved, proof, proved, rule } from "../language/rule";
import type { FullStack } from "../stack";
import type { WireguardConfig } from "./schema";

/** Networks that are never routed on the internet; RFC 1918. */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/** Addresses of the two ends in the tunnel. */
export interface LinkAddresses {
  edge: string;
  home: string;
}

function wireguard({ tunnel }: Pick<FullStack, "tunnel">): WireguardConfig | undefined {
  return tunnel?.kind === "wireguard" ? tunnel : undefined;
}

/** The addresses of the tunnel's ends; undefined: there is no WireGuard tunnel. */
export const linkAddresses = proof({
  name: "the tunnel's network has four private addresses",
  needs: ["tunnel"],
  prove: (stack): Proved<LinkAddresses | undefined> => {
    const subnet = wireguard(stack)?.subnet;
    if (subnet === undefined) return proved(undefined);
    const fits = subnet.endsWith("/30") && PRIVATE.some((range) => rangeContains(range, subnet));
    return fits
      ? proved({ edge: nthAddress(subnet, 1), home: nthAddress(subnet, 2) })
      : broken(["tunnel", "subnet"]);
  },
  message: (stack) =>
    `is ${wireguard(stack)?.subnet}; the tunnel needs a network of four private IPv4 addresses (10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16)`,
  fix: "write one with /30 that neither your home network nor the edge's uses, e.g. 10.213.87.0/30",
});

/** Rules about a tunnel between two hosts of the stack. */
export const wireguardRules: readonly AnyRule[] = [
  linkAddresses,
  rule({
    name: "the edge is another host of the stack",
    needs: ["hosts", "tunnel"],
    when: (stack) => {
      const tunnel = wireguard(stack);
      return at(
        tunnel !== undefined && (!Object.hasOwn(stack.hosts, tunnel.edge) || tunnel.edge === tunnel.host),
        ...["tunnel", "edge"],
      );
    },
    message: (stack) => {
      const edge = wireguard(stack)?.edge ?? "";
      return Object.hasOwn(stack.hosts, edge)
        ? `is ${edge}, which is also the tunnel's other end`
        : `names ${edge}, which is not under hearth:hosts`;
    },
    fix: "name the host with the public address, and add it under hearth:hosts",
  }),
  rule({
    name: "only root sets up WireGuard",
    needs: ["hosts", "tunnel"],
    when: (stack) => {
      const tunnel = wireguard(stack);
      const unable = (name: string) => {
        const host = stack.hosts[name];
        return host?.runtime === "quadlet" && host.become === "none";
      };
      return tunnel === undefined
        ? []
        : [tunnel.host, tunnel.edge].filter(unable).map((name) => ["hosts", name, "become"]);
    },
    message: (_stack, [, name]) => `is none, but only root can set up the tunnel's interface on ${name}`,
    fix: "write `become: sudo` for the host",
  }),
  rule({
    name: "the edge runs nginx",
    needs: ["proxy", "tunnel"],
    when: (stack) => at(wireguard(stack) !== undefined && stack.proxy.kind !== "nginx", "proxy", "kind"),
    message: ({ proxy }) =>
      `is ${proxy.kind}, which Hearth runs only on the homeserver's own host, where its container mounts Synapse's socket`,
    fix: "write `kind: nginx`, and `runtime: native` for the edge",
  }),
];
