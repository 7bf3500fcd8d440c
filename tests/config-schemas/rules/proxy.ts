import type { Row } from "./row";

/** The smallest stack with Caddy, which needs containers, and its own certificate. */
const CADDY = { kind: "caddy", listen: { address: "::", port: 8443 } };
const ROOTLESS = { vps: { user: "alice", runtime: "quadlet" } };
const FUNNEL = {
  homeserver: { serverName: "chat.tail1a2b.ts.net", publicHost: "chat.tail1a2b.ts.net" },
  certificates: undefined,
  tunnel: { host: "vps", kind: "tailscale-funnel" },
};

export const PROXY: Row[] = [
  {
    rule: "each proxy has its runtime",
    good: { hosts: ROOTLESS, proxy: CADDY },
    bad: { proxy: CADDY },
    says: [
      "hearth:proxy.kind: is caddy, which runs as a rootless container, but vps has `runtime: native` | write `kind: nginx`, or for the host `runtime: quadlet`",
    ],
  },
  {
    rule: "Caddy's keys need Caddy",
    good: { proxy: { listen: { address: "127.0.0.1" } } },
    bad: { proxy: { image: "docker.io/library/caddy:2.9.1", memory: "64M", listen: { port: 8443 } } },
    says: ["image", "memory", "listen"].map(
      (key) =>
        `hearth:proxy.${key}: is for \`kind: caddy\`; nginx uses the distribution's program and the ports 80, 443 and 8448 | remove it`,
    ),
  },
  {
    rule: "something ends TLS",
    good: { hosts: ROOTLESS, proxy: { kind: "caddy", federationPort: false }, ...FUNNEL },
    bad: { certificates: undefined },
    says: [
      "hearth:certificates: is absent, and no hearth:tunnel ends TLS, but clients and servers use https only | add the files of a certificate for all public names, or Funnel, which has its own certificate",
    ],
  },
  {
    rule: "plain HTTP stays on loopback",
    good: {
      hosts: ROOTLESS,
      proxy: { kind: "caddy", federationPort: false, listen: { address: "127.0.0.2" } },
      ...FUNNEL,
    },
    bad: {
      hosts: ROOTLESS,
      proxy: { kind: "caddy", federationPort: false, listen: { address: "192.168.1.2" } },
      ...FUNNEL,
    },
    says: [
      "hearth:proxy.listen.address: would serve the network without TLS, and everybody there could forge client addresses (the proxy trusts the address that the tunnel reports) | write `address: 127.0.0.1`, where the tunnel connects",
    ],
  },
  {
    rule: "without a tunnel the proxy can be reached",
    good: { hosts: ROOTLESS, proxy: { kind: "caddy", listen: { address: "0.0.0.0" } } },
    bad: { hosts: ROOTLESS, proxy: { kind: "caddy", listen: { address: "::1" } } },
    says: [
      'hearth:proxy.listen.address: is loopback, which nobody outside can reach without a tunnel | write `listen: { address: "::", port: 8443 }` and let your router forward port 443 to it (and 8448 to 8448)',
    ],
  },
  {
    rule: "an ordinary user uses no port below 1024",
    good: { hosts: ROOTLESS, proxy: { kind: "caddy", listen: { address: "::", port: 1024 } } },
    bad: { hosts: ROOTLESS, proxy: { kind: "caddy", listen: { address: "::", port: 443 } } },
    says: [
      "hearth:proxy.listen.port: is below 1024, where only root may listen | write `port: 8443` and let your router forward port 443 to it, or 8080 behind a tunnel",
    ],
  },
  {
    rule: "the proxy's port is free",
    good: {
      hosts: ROOTLESS,
      proxy: { ...CADDY, federationPort: false, listen: { address: "::", port: 8448 } },
    },
    bad: { hosts: ROOTLESS, proxy: { ...CADDY, listen: { address: "::", port: 8448 } } },
    says: [
      "hearth:proxy.listen.port: is the federation port, which is in use (`federationPort: true`) | write another one, e.g. 8080 or 8443",
    ],
  },
];
