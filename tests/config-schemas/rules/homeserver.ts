import type { Row } from "./row";

export const HOMESERVER: Row[] = [
  {
    rule: "Synapse is new enough",
    good: { homeserver: { version: "1.161.0" } },
    bad: { homeserver: { version: "1.160.2", install: "apt" } },
    says: [
      "hearth:homeserver.version: is 1.160.2: before 1.161.0 a restart of the database can block rooms until Synapse is restarted too | use 1.161.0 or newer",
    ],
  },
  {
    rule: "a release from the Python index is locked",
    good: { homeserver: { version: "1.161.0" } },
    bad: { homeserver: { version: "1.999.0" } },
    says: [
      "hearth:homeserver.version: is 1.999.0, which has no lock; Hearth installs only packages with known hashes. Locks exist for: 1.163.2, 1.163.1, 1.163.0, 1.162.0, 1.161.0 | use one of these; or run `npm run lock -- 1.999.0`, review the result and commit it",
    ],
  },
  {
    rule: "Synapse listens on loopback only",
    good: { homeserver: { listener: { bindAddresses: ["127.0.0.2", "::1"] } } },
    bad: { homeserver: { listener: { bindAddresses: ["127.0.0.1", "0.0.0.0", "::"] } } },
    says: [1, 2].map(
      (index) =>
        `hearth:homeserver.listener.bindAddresses[${index}]: is not a loopback address: others could reach the admin API there and forge the client address that rate limits use | write ["127.0.0.1"]; the proxy serves the public`,
    ),
  },
  {
    rule: "Synapse's port is free",
    good: { homeserver: { listener: { port: 8009 } } },
    bad: { homeserver: { listener: { port: 8448 } } },
    says: ["hearth:homeserver.listener.port: is 8448, the port of the proxy | write `port: 8008`"],
  },
  {
    rule: "one upload fits into its period",
    good: { homeserver: { media: { uploadLimits: [{ period: "1h", size: "50M" }] } } },
    bad: { homeserver: { media: { uploadLimits: [{ period: "1h", size: "10M" }] } } },
    says: [
      "hearth:homeserver.media.uploadLimits[0].size: is smaller than the largest upload (maxUploadSize 50M) | raise it, or lower hearth:homeserver.media.maxUploadSize",
    ],
  },
  {
    rule: "one upload fits into the media limit",
    good: { verification: { mediaLimit: "1G" } },
    bad: { homeserver: { media: { maxUploadSize: "2G" } }, verification: { mediaLimit: "1G" } },
    says: [
      "hearth:verification.mediaLimit: is smaller than the largest upload (maxUploadSize 2G) | raise it, or lower hearth:homeserver.media.maxUploadSize",
    ],
  },
  {
    rule: "the shortest room lifetime is not above the longest",
    good: { homeserver: { retention: { maxLifetime: "30d", allowedMin: "7d", allowedMax: "1w" } } },
    bad: { homeserver: { retention: { maxLifetime: "30d", allowedMin: "2w", allowedMax: "7d" } } },
    says: [
      "hearth:homeserver.retention.allowedMin: is 2w, above allowedMax (7d); Synapse would not start | swap them, or remove one",
    ],
  },
  {
    rule: "messages are purged within their lifetime",
    good: { homeserver: { retention: { maxLifetime: "1d", purgeInterval: "24h" } } },
    bad: { homeserver: { retention: { maxLifetime: "1d", purgeInterval: "1w" } } },
    says: [
      "hearth:homeserver.retention.purgeInterval: is 1w, longer than the lifetime of messages (1d): they would stay on disk for more than twice their lifetime | write a shorter one, e.g. `purgeInterval: 1h`",
    ],
  },
  {
    rule: "purging happens on a host that is off at night",
    good: {
      hosts: { vps: { alwaysOn: false } },
      homeserver: { retention: { maxLifetime: "14d", purgeInterval: "1h" } },
    },
    bad: { hosts: { vps: { alwaysOn: false } }, homeserver: { retention: { maxLifetime: "14d" } } },
    says: [
      "hearth:homeserver.retention.purgeInterval: is 6h, but vps is not always on: the interval starts again at each start, so nothing would ever be purged | write `purgeInterval: 1h`",
    ],
  },
  {
    rule: "a server that is its own public host does not delegate",
    good: { homeserver: { serverName: "matrix.example.org" }, delegation: { serve: "here" } },
    bad: { homeserver: { serverName: "matrix.example.org" }, delegation: { serve: "elsewhere" } },
    says: [
      "hearth:delegation.serve: is elsewhere, but serverName and publicHost are the same name, which this stack's proxy serves | write `serve: here`, or choose a different publicHost for the homeserver",
    ],
  },
];
