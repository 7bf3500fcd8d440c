import type { Path } from "../language/fault";
import { type AnyRule, at, broken, proof, proved, removeSecret, rule } from "../language/rule";
import { nearest } from "../language/shape";
import type { FullStack } from "../stack";
import type { HostConfig } from "./schema";

const ON_A_HOST = [
  ...(["homeserver", "postgres", "proxy"] as const),
  // These are optional.
  ...(["certificates", "tunnel", "dns", "firewall", "maintenance", "inactivity", "backup"] as const),
] as const;
type Placed = (typeof ON_A_HOST)[number];

/** The present sections that run on a host, each with its host. */
function placements(stack: Pick<FullStack, Placed>): { section: Placed; host: string }[] {
  return ON_A_HOST.flatMap((section) => {
    const host = stack[section]?.host;
    return host === undefined ? [] : [{ section, host }];
  });
}

function hostOf(stack: Pick<FullStack, Placed>, section: string | number | undefined): string {
  return placements(stack).find((placed) => placed.section === section)?.host ?? "";
}
const SSH_ONLY = [
  "address",
  "user",
  "port",
  "sshConfigFile",
  "identityFile",
  "knownHostsFile",
  "jump",
] as const;

function hostsWhere(
  stack: Pick<FullStack, "hosts">,
  breaks: (host: HostConfig) => boolean,
): [string, HostConfig][] {
  return Object.entries(stack.hosts).filter(([, host]) => breaks(host));
}

/**
 * The host that each section must be on: the homeserver's own services use its sockets and its loopback. Only the proxy may be
 * elsewhere, at the other end of a tunnel between two hosts; its certificate goes with it.
 */
function requiredHost(stack: Pick<FullStack, Placed>, section: Placed): string {
  const { homeserver, proxy, tunnel } = stack;
  if (section === "certificates") return proxy.host;
  if (section === "firewall" && stack.firewall?.host === proxy.host) return proxy.host;
  return section === "proxy" && tunnel?.kind === "wireguard" ? tunnel.edge : homeserver.host;
}

/** The hosts of the homeserver and of its proxy. */
export const servingHosts = proof({
  name: "a service's host is a host of the stack",
  needs: ["hosts", ...ON_A_HOST],
  prove: (stack) => {
    const { hosts, homeserver, proxy } = stack;
    const unknown = placements(stack).filter(({ host }) => !Object.hasOwn(hosts, host));
    const named = (name: string) => {
      const config = Object.hasOwn(hosts, name) ? hosts[name] : undefined;
      return config && { name, config };
    };
    const [home, front] = [named(homeserver.host), named(proxy.host)];
    return home === undefined || front === undefined || unknown.length > 0
      ? broken(...unknown.map(({ section }): Path => [section, "host"]))
      : proved({ homeserver: home, proxy: front });
  },
  message: (stack, [section]) => `names ${hostOf(stack, section)}, which is not under hearth:hosts`,
  fix: (stack, [section]) => {
    const names = Object.keys(stack.hosts);
    const meant = nearest(hostOf(stack, section), names);
    return meant ? `did you mean ${meant}?` : `choose one of: ${names.join(", ") || "(none there yet)"}`;
  },
});

/** Rules about hosts and the services on them. */
export const hostRules: readonly AnyRule[] = [
  rule({
    name: "a stack has a host",
    needs: ["hosts"],
    when: ({ hosts }) => at(Object.keys(hosts).length === 0, "hosts"),
    message: "names no host",
    fix: "add one, for example `vps: { address: vps.example.org, user: root }`",
  }),
  rule({
    name: "ssh needs an address",
    needs: ["hosts"],
    when: (stack) =>
      hostsWhere(stack, (host) => host.transport === "ssh" && host.address === undefined).map(([name]) => [
        "hosts",
        name,
        "address",
      ]),
    message: "is missing; ssh needs a destination",
    fix: "add `address:` with a name, an address or an ssh alias, or `transport: local` for this machine",
  }),
  rule({
    name: "a local host has no ssh settings",
    needs: ["hosts"],
    when: (stack) =>
      hostsWhere(stack, (host) => host.transport === "local").flatMap(([name, host]) =>
        SSH_ONLY.filter((key) => host[key] !== undefined).map((key): Path => ["hosts", name, key]),
      ),
    message: "has no effect with `transport: local`: Hearth reaches this machine without ssh",
    fix: "remove it, or use `transport: ssh`",
  }),
  rule({
    name: "a login user who is not root becomes root",
    needs: ["hosts"],
    when: (stack) =>
      hostsWhere(
        stack,
        (host) =>
          host.user !== undefined &&
          host.user !== "root" &&
          host.become === "none" &&
          host.runtime === "native",
      ).map(([name]) => ["hosts", name, "become"]),
    message: "is none, but the login user is not root, so Hearth could change nothing",
    fix: "write `become: sudo`, or `user: root`",
  }),
  rule({
    name: "rootless containers do not belong to root",
    needs: ["hosts"],
    when: (stack) =>
      hostsWhere(stack, (host) => host.runtime === "quadlet" && host.user === "root").map(([name]) => [
        "hosts",
        name,
        "user",
      ]),
    message:
      "is root, but with `runtime: quadlet` the containers belong to the login user, who must not be root",
    fix: "log in as an ordinary user (with `become: sudo` if the user may use sudo), or write `runtime: native`",
  }),
  servingHosts,
  rule({
    name: "a service is on the host where others reach it",
    needs: [...ON_A_HOST],
    when: (stack) =>
      placements(stack)
        .filter(({ section, host }) => host !== requiredHost(stack, section))
        .map(({ section }): Path => [section, "host"]),
    message: (stack, [section]) => {
      const { homeserver, proxy } = stack;
      if (section === "certificates") return `differs from the proxy's host, ${proxy.host}`;
      return section === "proxy" && stack.tunnel?.kind === "wireguard"
        ? `is not the tunnel's edge, ${stack.tunnel.edge}, to which clients and servers connect`
        : `differs from the homeserver's host, ${homeserver.host}: the services communicate unencrypted over loopback and a socket`;
    },
    fix: (stack, [section]) => {
      const required = requiredHost(stack, section as Placed);
      const tunnel = section === "proxy" && stack.tunnel === undefined;
      return `write \`host: ${required}\`${tunnel ? ", or add hearth:tunnel with `kind: wireguard`, which links two hosts" : ""}`;
    },
  }),
  rule({
    name: "a sudo password belongs to a host that uses sudo",
    needs: ["hosts", "secrets"],
    when: ({ hosts, secrets }) =>
      Object.keys(secrets.sudo)
        .filter((name) => hosts[name]?.become !== "sudo")
        .map((name): Path => ["secrets", "sudo", name]),
    message: (stack, path) =>
      Object.hasOwn(stack.hosts, String(path[2]))
        ? "is a password for sudo, but the host has `become: none`"
        : "is a password for a host that is not under hearth:hosts",
    fix: (_stack, path) => `${removeSecret("sudo", String(path[2]))}, or write \`become: sudo\` for the host`,
  }),
];
