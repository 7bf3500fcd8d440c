import type { Row } from "./row";

export const HOSTS: Row[] = [
  {
    rule: "a stack has a host",
    good: {},
    bad: { hosts: { vps: undefined } },
    says: [
      "hearth:hosts: names no host | add one, for example `vps: { address: vps.example.org, user: root }`",
      ...["homeserver", "postgres", "proxy", "certificates"].map(
        (key) =>
          `hearth:${key}.host: names vps, which is not under hearth:hosts | choose one of: (none there yet)`,
      ),
    ],
  },
  {
    rule: "ssh needs an address",
    good: { hosts: { vps: { address: "an-alias" } } },
    bad: { hosts: { vps: { address: undefined } } },
    says: [
      "hearth:hosts.vps.address: is missing; ssh needs a destination | add `address:` with a name, an address or an ssh alias, or `transport: local` for this machine",
    ],
  },
  {
    rule: "a local host has no ssh settings",
    good: { hosts: { vps: { transport: "local", address: undefined, user: undefined, become: "sudo" } } },
    bad: { hosts: { vps: { transport: "local", address: undefined, user: "root" } } },
    says: [
      "hearth:hosts.vps.user: has no effect with `transport: local`: Hearth reaches this machine without ssh | remove it, or use `transport: ssh`",
    ],
  },
  {
    rule: "a login user who is not root becomes root",
    good: { hosts: { vps: { user: "debian", become: "sudo" } } },
    bad: { hosts: { vps: { user: "debian" } } },
    says: [
      "hearth:hosts.vps.become: is none, but the login user is not root, so Hearth could change nothing | write `become: sudo`, or `user: root`",
    ],
  },
  {
    rule: "rootless containers do not belong to root",
    good: {},
    bad: {
      hosts: { vps: { runtime: "quadlet" } },
      proxy: { kind: "caddy", listen: { address: "::", port: 8443 } },
    },
    says: [
      "hearth:hosts.vps.user: is root, but with `runtime: quadlet` the containers belong to the login user, who must not be root | log in as an ordinary user (with `become: sudo` if the user may use sudo), or write `runtime: native`",
    ],
  },
  {
    rule: "a service's host is a host of the stack",
    good: {
      hosts: { vps: undefined, web: { address: "a" } },
      homeserver: { host: "web" },
      postgres: { host: "web" },
      proxy: { host: "web" },
      certificates: { host: "web" },
    },
    bad: {
      homeserver: { host: "vsp" },
      postgres: { host: "vsp" },
      proxy: { host: "vsp" },
      certificates: { host: "vsp" },
    },
    says: ["homeserver", "postgres", "proxy", "certificates"].map(
      (key) => `hearth:${key}.host: names vsp, which is not under hearth:hosts | did you mean vps?`,
    ),
  },
  {
    rule: "a service is on the host where others reach it",
    good: { hosts: { other: { address: "b" } } },
    bad: { hosts: { other: { address: "b" } }, postgres: { host: "other" }, proxy: { host: "other" } },
    says: [
      "hearth:postgres.host: differs from the homeserver's host, vps: the services communicate unencrypted over loopback and a socket | write `host: vps`",
      "hearth:proxy.host: differs from the homeserver's host, vps: the services communicate unencrypted over loopback and a socket | write `host: vps`, or add hearth:tunnel with `kind: wireguard`, which links two hosts",
      "hearth:certificates.host: differs from the proxy's host, other | write `host: other`",
    ],
  },
  {
    rule: "a sudo password belongs to a host that uses sudo",
    good: { hosts: { vps: { become: "sudo" } }, secrets: { sudo: { vps: "x" } } },
    bad: { secrets: { sudo: { vps: "x", home: "x" } } },
    says: [
      "hearth:secrets.sudo.vps: is a password for sudo, but the host has `become: none` | run: npm run pulumi -- config rm --path 'hearth:secrets.sudo.vps', or write `become: sudo` for the host",
      "hearth:secrets.sudo.home: is a password for a host that is not under hearth:hosts | run: npm run pulumi -- config rm --path 'hearth:secrets.sudo.home', or write `become: sudo` for the host",
    ],
  },
];
