import type { Change } from "../support";
import type { Row } from "./row";

/** Changes to the minimal stack for a correct stack behind Funnel. */
const BEHIND_FUNNEL = {
  hosts: { vps: { user: "debian", become: "sudo", runtime: "quadlet" } },
  homeserver: { serverName: "chat.tail1a2b.ts.net", publicHost: "chat.tail1a2b.ts.net" },
  proxy: { kind: "caddy", federationPort: false },
  tunnel: { kind: "tailscale-funnel", host: "vps" },
  certificates: undefined,
} as const;

function behindFunnel(change: Record<string, object | undefined>): Change {
  const sections = Object.entries(change).map(([name, keys]) => {
    const base: object | undefined = BEHIND_FUNNEL[name as keyof typeof BEHIND_FUNNEL];
    return [name, { ...base, ...keys }];
  });
  return { ...BEHIND_FUNNEL, ...Object.fromEntries(sections) };
}

const OWN_DOMAIN = {
  serverName: "example.org",
  publicHost: "chat.tail1a2b.ts.net",
};
const FUNNEL_FIX =
  "write the host's ts.net name here, and as serverName either that name too (permanently: it is part of every user ID) or your own domain, e.g. example.org, with `delegation.serve: elsewhere` (its web server serves two small documents). For your own public name use no hearth:tunnel, but a host with open ports 443 and 8448";

export const TUNNEL: Row[] = [
  {
    rule: "Funnel serves the host's own name only",
    good: behindFunnel({ homeserver: OWN_DOMAIN, delegation: { serve: "elsewhere" } }),
    bad: behindFunnel({
      homeserver: { serverName: "example.org", publicHost: "matrix.example.org" },
      delegation: { serve: "elsewhere" },
    }),
    says: [
      `hearth:homeserver.publicHost: is not a name that Tailscale Funnel can serve: it serves only the host's own name NODE.TAILNET.ts.net and reads the name in the TLS handshake, so a CNAME from your own domain fails for everyone | ${FUNNEL_FIX}`,
    ],
  },
  {
    rule: "a different server name behind Funnel delegates from elsewhere",
    good: behindFunnel({}),
    bad: behindFunnel({ homeserver: OWN_DOMAIN }),
    says: [
      "hearth:delegation.serve: is here, but through Funnel this stack receives requests for chat.tail1a2b.ts.net only, never for example.org | write `serve: elsewhere` and put the two printed documents on any web server of example.org, or make serverName chat.tail1a2b.ts.net, permanently",
    ],
  },
  {
    rule: "a stack behind Funnel has no federation port",
    good: behindFunnel({}),
    bad: behindFunnel({ proxy: { federationPort: true } }),
    says: [
      "hearth:proxy.federationPort: is true, but Funnel has no port 8448 | write `federationPort: false`; other servers find this one through its well-known document, on 443",
    ],
  },
  {
    rule: "a tunnel that ends TLS leads to a proxy without TLS",
    good: behindFunnel({}),
    bad: behindFunnel({ hosts: { vps: { user: "root" } }, proxy: { kind: "nginx" } }),
    says: [
      "hearth:proxy.kind: is nginx, which ends TLS itself on public ports, but Funnel connects to plain HTTP on loopback | write `kind: caddy`, and `runtime: quadlet` for the host",
    ],
  },
  {
    rule: "a tunnel that ends TLS needs no certificate",
    good: behindFunnel({}),
    bad: { ...BEHIND_FUNNEL, certificates: {} },
    says: ["hearth:certificates: is not used: tailscaled ends TLS and gets its own certificate | remove it"],
  },
  {
    rule: "only root installs tailscaled",
    good: behindFunnel({ tunnel: { install: "repository" } }),
    bad: behindFunnel({
      hosts: { vps: { user: "debian", become: "none", runtime: "quadlet" } },
      tunnel: { install: "repository" },
    }),
    says: [
      "hearth:tunnel.install: is repository, but on vps Hearth never becomes root | install Tailscale on the host yourself and write `install: present`, or write `become: sudo` for the host",
    ],
  },
  {
    rule: "an auth key belongs to Funnel",
    good: behindFunnel({ secrets: { tunnel: { authKey: "planted" } } }),
    bad: { secrets: { tunnel: { authKey: "planted" } } },
    says: [
      "hearth:secrets.tunnel: is for a hearth:tunnel with `kind: tailscale-funnel`, which is absent | run: npm run pulumi -- config rm --path 'hearth:secrets.tunnel', or add this tunnel",
    ],
  },
];
