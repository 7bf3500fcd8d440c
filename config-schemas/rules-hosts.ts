import type { Path } from "./fault";
import type { HostConfig } from "./hosts";
import { type AnyRule, at, removeSecret, rule } from "./rule";
import { nearest } from "./shape";
import type { FullStack } from "./stack";

const ON_A_HOST = ["homeserver", "postgres", "proxy", "certificates"] as const;
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
  broken: (host: HostConfig) => boolean,
): [string, HostConfig][] {
  return Object.entries(stack.hosts).filter(([, host]) => broken(host));
}

/** Rules about machines and what runs on which. */
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
    message: "is missing; ssh has to know where to connect",
    fix: "add `address:` with a name, an address or an ssh alias, or `transport: local` for this machine",
  }),
  rule({
    name: "a local host has no ssh settings",
    needs: ["hosts"],
    when: (stack) =>
      hostsWhere(stack, (host) => host.transport === "local").flatMap(([name, host]) =>
        SSH_ONLY.filter((key) => host[key] !== undefined).map((key): Path => ["hosts", name, key]),
      ),
    message: "has no meaning with `transport: local`: this machine is reached without ssh",
    fix: "remove it, or use `transport: ssh`",
  }),
  rule({
    name: "a login user who is not root becomes root",
    needs: ["hosts"],
    when: (stack) =>
      hostsWhere(
        stack,
        (host) => host.user !== undefined && host.user !== "root" && host.become === "none",
      ).map(([name]) => ["hosts", name, "become"]),
    message: "is none, but the login user is not root and could change nothing",
    fix: "write `become: sudo`, or `user: root`",
  }),
  rule({
    name: "a service's host is a host of the stack",
    needs: ["hosts", ...ON_A_HOST],
    when: (stack) =>
      ON_A_HOST.filter((section) => !Object.hasOwn(stack.hosts, stack[section].host)).map(
        (section): Path => [section, "host"],
      ),
    message: (stack, [section]) => {
      const name = ON_A_HOST.find((one) => one === section);
      return `names ${name ? stack[name].host : "a host"}, which is not under hearth:hosts`;
    },
    fix: (stack, [section]) => {
      const names = Object.keys(stack.hosts);
      const name = ON_A_HOST.find((one) => one === section);
      const meant = name && nearest(stack[name].host, names);
      return meant ? `did you mean ${meant}?` : `choose one of: ${names.join(", ") || "(none there yet)"}`;
    },
  }),
  rule({
    name: "the homeserver's services share its host",
    needs: [...ON_A_HOST],
    when: (stack) =>
      ON_A_HOST.filter((section) => stack[section].host !== stack.homeserver.host).map(
        (section): Path => [section, "host"],
      ),
    message: ({ homeserver }) =>
      `differs from the homeserver's host, ${homeserver.host}: they talk over loopback and a socket, unencrypted`,
    fix: ({ homeserver }) => `write \`host: ${homeserver.host}\``,
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
