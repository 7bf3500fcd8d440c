import type { Row } from "./row";

const QUADLET = { hosts: { vps: { runtime: "quadlet", user: "alice", become: "sudo" } } };

export const CONTAINERS: Row[] = [
  {
    rule: "settings of containers need containers",
    good: {
      ...QUADLET,
      homeserver: { image: "registry.example.org/synapse:v1.163.2", memory: "1G" },
      postgres: { image: "docker.io/library/postgres:16.10", memory: "256M" },
      proxy: { kind: "caddy", listen: { address: "::", port: 8443 } },
    },
    bad: { homeserver: { memory: "1G" }, postgres: { image: "docker.io/library/postgres:16.10" } },
    says: ["homeserver.memory", "postgres.image"].map(
      (key) =>
        `hearth:${key}: is for containers, but the host has \`runtime: native\`: packages under systemd | remove it, or write \`runtime: quadlet\` for the host`,
    ),
  },
  {
    rule: "settings of packages need packages",
    good: { homeserver: { install: "apt" } },
    bad: {
      ...QUADLET,
      homeserver: { install: "pypi" },
      proxy: { kind: "caddy", listen: { address: "::", port: 8443 } },
    },
    says: [
      "hearth:homeserver.install: is for packages, but the host has `runtime: quadlet`: containers | remove it; `version` selects the image, and `image` can name another one",
    ],
  },
  {
    rule: "in containers every role has a password",
    good: {
      ...QUADLET,
      postgres: { role: "chat", authentication: "password" },
      proxy: { kind: "caddy", listen: { address: "::", port: 8443 } },
    },
    bad: {
      ...QUADLET,
      postgres: { authentication: "peer" },
      proxy: { kind: "caddy", listen: { address: "::", port: 8443 } },
    },
    says: [
      "hearth:postgres.authentication: is peer, but all rootless containers of a host run as one user of the host, so Synapse could log in as the superuser | remove it; Hearth creates the password on the host, and nobody needs to know it",
    ],
  },
  {
    rule: "a container is published on an IPv4 address",
    good: {
      ...QUADLET,
      homeserver: { listener: { bindAddresses: ["::1", "127.0.0.2"] } },
      proxy: { kind: "caddy", listen: { address: "::", port: 8443 } },
    },
    bad: {
      ...QUADLET,
      homeserver: { listener: { bindAddresses: ["::1"] } },
      proxy: { kind: "caddy", listen: { address: "::", port: 8443 } },
    },
    says: [
      'hearth:homeserver.listener.bindAddresses: contains no IPv4 loopback address, but the containers\' network uses IPv4 only | write ["127.0.0.1"]',
    ],
  },
  {
    rule: "image and version of Synapse agree",
    good: {
      ...QUADLET,
      homeserver: { image: `localhost:5000/synapse@sha256:${"0".repeat(64)}`, version: "1.163.2" },
      proxy: { kind: "caddy", listen: { address: "::", port: 8443 } },
    },
    bad: {
      ...QUADLET,
      homeserver: { image: "ghcr.io/element-hq/synapse:v1.162.0", version: "1.163.2" },
      proxy: { kind: "caddy", listen: { address: "::", port: 8443 } },
    },
    says: [
      "hearth:homeserver.image: is ghcr.io/element-hq/synapse:v1.162.0, but `version` is 1.163.2, the release that the configuration is checked for | change one of them; without `image` the version selects the image",
    ],
  },
  {
    rule: "a container has enough memory to start",
    good: {
      ...QUADLET,
      homeserver: { memory: "256M" },
      postgres: { memory: "128M" },
      proxy: { kind: "caddy", listen: { address: "::", port: 8443 } },
    },
    bad: {
      ...QUADLET,
      homeserver: { memory: "255M" },
      postgres: { memory: "64M" },
      proxy: { kind: "caddy", listen: { address: "::", port: 8443 } },
    },
    says: [
      "hearth:homeserver.memory: is 255M, too little to start | write at least `memory: 256M`",
      "hearth:postgres.memory: is 64M, too little to start | write at least `memory: 128M`",
    ],
  },
];
