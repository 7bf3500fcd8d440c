import type { Row } from "./row";

const AT = "hearth:homeserver.federation";

export const FEDERATION: Row[] = [
  {
    rule: "an allowlist names each server once",
    good: { homeserver: { federation: { allowlist: ["matrix.org", "example.org"] } } },
    bad: { homeserver: { federation: { allowlist: ["matrix.org", "kde.org", "matrix.org"] } } },
    says: [`${AT}.allowlist[2]: is already in the list | remove it`],
  },
  {
    rule: "key servers are on the allowlist",
    good: { homeserver: { federation: { allowlist: ["kde.org"], trustedKeyServers: ["kde.org"] } } },
    bad: { homeserver: { federation: { allowlist: ["kde.org"], trustedKeyServers: ["matrix.org"] } } },
    says: [
      `${AT}.trustedKeyServers[0]: is not on the allowlist, so Synapse could never reach it | add it to ${AT}.allowlist, or remove it here (each server then provides its own keys)`,
    ],
  },
  {
    rule: "an exception opens neither the host itself nor metadata services",
    good: { homeserver: { federation: { allowedRanges: ["192.168.7.0/24"] } } },
    bad: {
      homeserver: { federation: { allowedRanges: ["10.0.0.0/24", "127.0.0.1/32", "169.254.169.254/32"] } },
    },
    says: [1, 2].map(
      (index) =>
        `${AT}.allowedRanges[${index}]: would let any user or remote server reach the host's own services through Synapse (it does not control who may connect to this server) | remove it; for a partner in a private network write that network only, e.g. 10.20.0.0/24`,
    ),
  },
  {
    rule: "an exception is one network",
    good: { homeserver: { federation: { allowedRanges: ["10.0.0.0/8", "fd00::/8"] } } },
    bad: { homeserver: { federation: { allowedRanges: ["10.0.0.0/7"] } } },
    says: [
      `${AT}.allowedRanges[0]: is larger than a single network can be (IPv4 /8, IPv6 /7) and would remove the protection | write the partner's network only, e.g. 10.20.0.0/24`,
    ],
  },
  {
    rule: "an exception opens a blocked range",
    good: { homeserver: { federation: { allowedRanges: ["100.64.1.0/24"] } } },
    bad: { homeserver: { federation: { allowedRanges: ["9.9.9.0/24"] } } },
    says: [
      `${AT}.allowedRanges[0]: has no effect: nothing in this range is blocked | remove it; to limit the servers to federate with, use ${AT}.allowlist`,
    ],
  },
  {
    rule: "a blocked range is not allowed again",
    good: { homeserver: { federation: { blockedRanges: ["10.1.0.0/16"], allowedRanges: ["10.2.0.0/16"] } } },
    bad: { homeserver: { federation: { blockedRanges: ["10.1.0.0/16"], allowedRanges: ["10.1.2.0/24"] } } },
    says: [
      `${AT}.blockedRanges[0]: overlaps with allowedRanges, and exceptions take precedence | remove it from one of the two lists`,
    ],
  },
  {
    rule: "blocking leaves the internet reachable",
    good: {
      homeserver: {
        federation: { blockedRanges: ["9.0.0.0/8"] },
        urlPreviews: { blockedRanges: ["2a00::/16"] },
      },
    },
    bad: {
      homeserver: { federation: { blockedRanges: ["0.0.0.0/0"] }, urlPreviews: { blockedRanges: ["::/0"] } },
    },
    says: [`${AT}.blockedRanges[0]`, "hearth:homeserver.urlPreviews.blockedRanges[0]"].map(
      (key) =>
        `${key}: blocks more than 1/256 of all addresses, so most servers would be unreachable | write smaller ranges; to stop federation write \`allowlist: []\``,
    ),
  },
  {
    rule: "the partner of the checks is on the allowlist",
    good: {
      homeserver: { federation: { allowlist: ["b.example.net"] } },
      verification: { partner: { serverName: "b.example.net", url: "https://m.b.example.net" } },
    },
    bad: {
      homeserver: { federation: { allowlist: [] } },
      verification: { partner: { serverName: "b.example.net", url: "https://m.b.example.net" } },
    },
    says: [
      `hearth:verification.partner.serverName: is not on the allowlist, so federation with it cannot work | add it to ${AT}.allowlist, or remove the partner`,
    ],
  },
  {
    rule: "the partner of the checks is another server",
    good: { verification: { partner: { serverName: "b.example.net", url: "https://b.example.net" } } },
    bad: { verification: { partner: { serverName: "example.org", url: "https://example.org" } } },
    says: [
      "hearth:verification.partner.serverName: is this server itself, which would prove nothing | name another homeserver, or remove the partner",
    ],
  },
];
