import type { Row } from "./row";

/** The smallest stack with Caddy, which needs containers, and a certificate of its own. */
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
      "hearth:proxy.kind: is caddy, which is run as a rootless container, but vps has `runtime: native` | write `kind: nginx`, or for the host `runtime: quadlet`",
    ],
  },
  {
    rule: "Caddy's keys are for Caddy",
    good: { proxy: { listen: { address: "127.0.0.1" } } },
    bad: { proxy: { image: "docker.io/library/caddy:2.9.1", memory: "64M", listen: { port: 8443 } } },
    says: ["image", "memory", "listen"].map(
      (key) =>
        `hearth:proxy.${key}: is for \`kind: caddy\`; nginx has the distribution's program and the ports 80, 443 and 8448 | remove it`,
    ),
  },
  {
    rule: "something ends TLS",
    good: { hosts: ROOTLESS, proxy: { kind: "caddy", federationPort: false }, ...FUNNEL },
    bad: { certificates: undefined },
    says: [
      "hearth:certificates: is absent and so is hearth:tunnel, but clients and servers come by https only | add the files of a certificate for all public names, or a tunnel that has its own",
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
      "hearth:proxy.listen.address: would let the network in without TLS, and everybody there could claim to be any client (the tunnel's word for it is believed) | write `address: 127.0.0.1`, where the tunnel arrives",
    ],
  },
  {
    rule: "without a tunnel the proxy can be reached",
    good: { hosts: ROOTLESS, proxy: { kind: "caddy", listen: { address: "0.0.0.0" } } },
    bad: { hosts: ROOTLESS, proxy: { kind: "caddy", listen: { address: "::1" } } },
    says: [
      'hearth:proxy.listen.address: is loopback, where nobody from outside arrives without a tunnel | write `listen: { address: "::", port: 8443 }` and let your router send port 443 there (and 8448 to 8448)',
    ],
  },
  {
    rule: "an ordinary user takes no port below 1024",
    good: { hosts: ROOTLESS, proxy: { kind: "caddy", listen: { address: "::", port: 1024 } } },
    bad: { hosts: ROOTLESS, proxy: { kind: "caddy", listen: { address: "::", port: 443 } } },
    says: [
      "hearth:proxy.listen.port: is below 1024, where only root may listen | write `port: 8443` and let your router send port 443 there, or 8080 behind a tunnel",
    ],
  },
  {
    rule: "the proxy's port is its own",
    good: {
      hosts: ROOTLESS,
      proxy: { ...CADDY, federationPort: false, listen: { address: "::", port: 8448 } },
    },
    bad: { hosts: ROOTLESS, proxy: { ...CADDY, listen: { address: "::", port: 8448 } } },
    says: [
      "hearth:proxy.listen.port: is the federation port, which is taken (`federationPort: true`) | write another one, e.g. 8080 or 8443",
    ],
  },
];
