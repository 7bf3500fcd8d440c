import type { Row } from "./row";

/** The smallest stack in containers, behind a tunnel. */
export const CONTAINED = {
  hosts: { vps: { runtime: "quadlet", user: "alice", become: "sudo" } },
  homeserver: { serverName: "chat.tail1a2b.ts.net", publicHost: "chat.tail1a2b.ts.net" },
  proxy: { kind: "caddy", federationPort: false },
  certificates: undefined,
  tunnel: { kind: "tailscale-funnel", host: "vps" },
} as const;

export const MAINTENANCE: Row[] = [
  {
    rule: "jobs run in containers",
    good: { ...CONTAINED, maintenance: { host: "vps" }, inactivity: { host: "vps", window: "14d" } },
    bad: { maintenance: { host: "vps" }, inactivity: { host: "vps", window: "14d" } },
    says: ["maintenance", "inactivity"].map(
      (job) =>
        `hearth:${job}.host: is vps, which has \`runtime: native\`, but Hearth runs jobs in containers only | write \`runtime: quadlet\` for the host, or remove hearth:${job}`,
    ),
  },
  {
    rule: "the accounts of jobs belong to Hearth",
    good: { accounts: { "hearth-keeper": {} } },
    bad: { accounts: { "hearth-maintenance": {}, "hearth-inactivity": {} } },
    says: ["hearth-maintenance", "hearth-inactivity"].map(
      (name) =>
        `hearth:accounts.${name}: is the account of one of Hearth's jobs; Hearth creates it | remove it, or choose another name`,
    ),
  },
  {
    rule: "the cleaning finds media to delete",
    good: {
      ...CONTAINED,
      homeserver: { ...CONTAINED.homeserver, media: { remoteLifetime: "90d" } },
      maintenance: { host: "vps", remoteMedia: "89d" },
    },
    bad: {
      ...CONTAINED,
      homeserver: { ...CONTAINED.homeserver, media: { remoteLifetime: "14d" } },
      maintenance: { host: "vps", remoteMedia: "2w" },
    },
    says: [
      "hearth:maintenance.remoteMedia: is 2w, but media of other servers are already deleted after 14d (hearth:homeserver.media.remoteLifetime) | remove it, or raise or remove remoteLifetime",
    ],
  },
];
