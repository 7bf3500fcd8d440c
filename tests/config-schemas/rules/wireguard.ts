import type { Row } from "./row";

/** Changes to the minimal stack: the homeserver at home, the proxy on the VPS. */
export const WIREGUARD = {
  hosts: { home: { address: "home.lan", user: "root" } },
  homeserver: { host: "home" },
  postgres: { host: "home" },
  tunnel: { kind: "wireguard", host: "home", edge: "vps" },
} as const;

const tunnel = (change: object) => ({ ...WIREGUARD, tunnel: { ...WIREGUARD.tunnel, ...change } });

export const WIREGUARD_ROWS: Row[] = [
  {
    rule: "the tunnel's network has four private addresses",
    good: tunnel({ subnet: "172.31.255.252/30" }),
    bad: tunnel({ subnet: "203.0.113.0/24" }),
    says: [
      "hearth:tunnel.subnet: is 203.0.113.0/24; the tunnel needs a network of four private IPv4 addresses (10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16) | write one with /30 that neither your home network nor the edge's uses, e.g. 10.213.87.0/30",
    ],
  },
  {
    rule: "the edge is another host of the stack",
    good: tunnel({}),
    bad: { ...tunnel({ edge: "home" }), proxy: { host: "home" }, certificates: { host: "home" } },
    says: [
      "hearth:tunnel.edge: is home, which is also the tunnel's other end | name the host with the public address, and add it under hearth:hosts",
    ],
  },
  {
    rule: "only root sets up WireGuard",
    good: {
      ...tunnel({}),
      hosts: { home: { address: "home.lan", user: "alice", runtime: "quadlet", become: "sudo" } },
    },
    bad: {
      ...tunnel({}),
      hosts: { home: { address: "home.lan", user: "alice", runtime: "quadlet" } },
    },
    says: [
      "hearth:hosts.home.become: is none, but only root can set up the tunnel's interface on home | write `become: sudo` for the host",
    ],
  },
  {
    rule: "the edge runs nginx",
    good: tunnel({}),
    bad: {
      ...tunnel({}),
      hosts: { ...WIREGUARD.hosts, vps: { user: "debian", runtime: "quadlet", become: "sudo" } },
      proxy: { kind: "caddy", listen: { address: "::", port: 8443 } },
    },
    says: [
      "hearth:proxy.kind: is caddy, which Hearth runs only on the homeserver's own host, where its container mounts Synapse's socket | write `kind: nginx`, and `runtime: native` for the edge",
    ],
  },
];
