import type { Change } from "../support";
import type { Row } from "./row";

/** A stack behind Funnel that is right, on top of the minimal one. */
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
const WAYS_OUT =
  "write the machine's ts.net name here, and as serverName either that name too (for good: it is part of every user ID) or your own domain, e.g. example.org, with `delegation.serve: elsewhere` (its web server answers with two small documents). For a public name of your own take another way in: a server with ports 443 and 8448 open, without hearth:tunnel";

export const TUNNEL: Row[] = [
  {
    rule: "Funnel serves the machine's own name only",
    good: behindFunnel({ homeserver: OWN_DOMAIN, delegation: { serve: "elsewhere" } }),
    bad: behindFunnel({
      homeserver: { serverName: "example.org", publicHost: "matrix.example.org" },
      delegation: { serve: "elsewhere" },
    }),
    says: [
      `hearth:homeserver.publicHost: is no name that Tailscale Funnel can serve: it serves the machine's own NODE.TAILNET.ts.net and goes by the name in the TLS handshake, so a CNAME from your own domain fails there for everyone | ${WAYS_OUT}`,
    ],
  },
  {
    rule: "behind Funnel another server name delegates from elsewhere",
    good: behindFunnel({}),
    bad: behindFunnel({ homeserver: OWN_DOMAIN }),
    says: [
      "hearth:delegation.serve: is here, but through Funnel this stack is asked for chat.tail1a2b.ts.net only, never for example.org | write `serve: elsewhere` and put the two documents that are printed on any web server of example.org, or make serverName chat.tail1a2b.ts.net, for good",
    ],
  },
  {
    rule: "Funnel has no federation port",
    good: behindFunnel({}),
    bad: behindFunnel({ proxy: { federationPort: true } }),
    says: [
      "hearth:proxy.federationPort: is true, but Funnel has no port 8448 | write `federationPort: false`; other servers find this one by its well-known document, on 443",
    ],
  },
  {
    rule: "a tunnel that ends TLS leads to a proxy without TLS",
    good: behindFunnel({}),
    bad: behindFunnel({ hosts: { vps: { user: "root" } }, proxy: { kind: "nginx" } }),
    says: [
      "hearth:proxy.kind: is nginx, which ends TLS itself on public ports, but Funnel leads to plain HTTP on loopback | write `kind: caddy`, and `runtime: quadlet` for the host",
    ],
  },
  {
    rule: "a tunnel that ends TLS needs no certificate",
    good: behindFunnel({}),
    bad: { ...BEHIND_FUNNEL, certificates: {} },
    says: [
      "hearth:certificates: is there, but nothing would use it: tailscaled ends TLS and gets a certificate by itself | remove it",
    ],
  },
  {
    rule: "only root installs tailscaled",
    good: behindFunnel({ tunnel: { install: "repository" } }),
    bad: behindFunnel({
      hosts: { vps: { user: "debian", become: "none", runtime: "quadlet" } },
      tunnel: { install: "repository" },
    }),
    says: [
      "hearth:tunnel.install: is repository, but on vps Hearth never becomes root | install Tailscale there yourself and write `install: present`, or write `become: sudo` for the host",
    ],
  },
  {
    rule: "an auth key belongs to a tunnel",
    good: behindFunnel({ secrets: { tunnel: { authKey: "planted" } } }),
    bad: { secrets: { tunnel: { authKey: "planted" } } },
    says: [
      "hearth:secrets.tunnel: is for hearth:tunnel, which is absent | run: npm run pulumi -- config rm --path 'hearth:secrets.tunnel', or add hearth:tunnel",
    ],
  },
];
