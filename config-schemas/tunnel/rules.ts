import { type AnyRule, at, broken, proof, proved, removeSecret, rule } from "../language/rule";
import { wireguardRules } from "./rules-wireguard";

/** The only names that Funnel's servers forward: they read the name in the TLS handshake. */
const FUNNEL_NAME = /^[a-z0-9-]+\.[a-z0-9-]+\.ts\.net$/;

/** Where Funnel connects to the proxy, with plain HTTP; undefined: there is no Funnel. */
export const tunnelTarget = proof({
  name: "a tunnel that ends TLS leads to a proxy without TLS",
  needs: ["proxy", "tunnel"],
  prove: ({ proxy, tunnel }) =>
    tunnel?.kind === "tailscale-funnel" && proxy.kind === "nginx"
      ? broken(["proxy", "kind"])
      : proved(tunnel?.kind === "tailscale-funnel" ? proxy.listen : undefined),
  message: "is nginx, which ends TLS itself on public ports, but Funnel connects to plain HTTP on loopback",
  fix: "write `kind: caddy`, and `runtime: quadlet` for the host",
});

/** Rules about the tunnel from the internet to the host. */
export const tunnelRules: readonly AnyRule[] = [
  rule({
    name: "Funnel serves the host's own name only",
    needs: ["homeserver", "tunnel"],
    when: ({ homeserver, tunnel }) =>
      at(
        tunnel?.kind === "tailscale-funnel" && !FUNNEL_NAME.test(homeserver.publicHost),
        "homeserver",
        "publicHost",
      ),
    message:
      "is not a name that Tailscale Funnel can serve: it serves only the host's own name NODE.TAILNET.ts.net and reads the name in the TLS handshake, so a CNAME from your own domain fails for everyone",
    fix: ({ homeserver: { serverName, publicHost } }) =>
      [
        "write the host's ts.net name here, and",
        "as serverName either that name too (permanently: it is part of every user ID)",
        `or your own domain, e.g. ${serverName === publicHost ? "example.org" : serverName}, with \`delegation.serve: elsewhere\``,
        "(its web server serves two small documents). For your own public name use no hearth:tunnel, but a host with open ports 443 and 8448",
      ].join(" "),
  }),
  rule({
    name: "a different server name behind Funnel delegates from elsewhere",
    needs: ["homeserver", "delegation", "tunnel"],
    when: ({ homeserver, delegation, tunnel }) =>
      at(
        tunnel?.kind === "tailscale-funnel" &&
          homeserver.serverName !== homeserver.publicHost &&
          delegation.serve === "here",
        "delegation",
        "serve",
      ),
    message: ({ homeserver }) =>
      `is here, but through Funnel this stack receives requests for ${homeserver.publicHost} only, never for ${homeserver.serverName}`,
    fix: ({ homeserver }) =>
      `write \`serve: elsewhere\` and put the two printed documents on any web server of ${homeserver.serverName}, or make serverName ${homeserver.publicHost}, permanently`,
  }),
  rule({
    name: "a stack behind Funnel has no federation port",
    needs: ["proxy", "tunnel"],
    when: ({ proxy, tunnel }) =>
      at(tunnel?.kind === "tailscale-funnel" && proxy.federationPort, "proxy", "federationPort"),
    message: "is true, but Funnel has no port 8448",
    fix: "write `federationPort: false`; other servers find this one through its well-known document, on 443",
  }),
  tunnelTarget,
  rule({
    name: "a tunnel that ends TLS needs no certificate",
    needs: ["certificates", "tunnel"],
    when: ({ certificates, tunnel }) =>
      at(tunnel?.kind === "tailscale-funnel" && certificates !== undefined, "certificates"),
    message: "is not used: tailscaled ends TLS and gets its own certificate",
    fix: "remove it",
  }),
  rule({
    name: "only root installs tailscaled",
    needs: ["hosts", "tunnel"],
    when: ({ hosts, tunnel }) => {
      const host = hosts[tunnel?.host ?? ""];
      return at(
        tunnel?.kind === "tailscale-funnel" &&
          tunnel.install === "repository" &&
          host?.runtime === "quadlet" &&
          host.become === "none",
        "tunnel",
        "install",
      );
    },
    message: ({ tunnel }) => `is repository, but on ${tunnel?.host} Hearth never becomes root`,
    fix: "install Tailscale on the host yourself and write `install: present`, or write `become: sudo` for the host",
  }),
  rule({
    name: "an auth key belongs to Funnel",
    needs: ["tunnel", "secrets"],
    when: ({ tunnel, secrets }) =>
      at(secrets.tunnel !== undefined && tunnel?.kind !== "tailscale-funnel", "secrets", "tunnel"),
    message: "is for a hearth:tunnel with `kind: tailscale-funnel`, which is absent",
    fix: `${removeSecret("tunnel")}, or add this tunnel`,
  }),
  ...wireguardRules,
];
