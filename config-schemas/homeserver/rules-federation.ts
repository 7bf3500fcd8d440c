import { DEFAULT_BLOCKED_RANGES, parseRange, rangesOverlap } from "../language/addresses";
import type { Path } from "../language/fault";
import { type AnyRule, at, rule } from "../language/rule";

/** Ranges that must never be opened: the host itself, and link-local addresses with the metadata services of cloud providers. */
const NEVER_ALLOWED = ["127.0.0.0/8", "::1/128", "0.0.0.0/8", "::/128", "169.254.0.0/16", "fe80::/10"];
/** The largest range that can be the network of one partner: a /8, or the unique local addresses of IPv6. */
const WIDEST = { 4: 1n << 24n, 6: 1n << 121n } as const;

function positions<T>(list: readonly T[], broken: (item: T, index: number) => boolean): number[] {
  return list.flatMap((item, index) => (broken(item, index) ? [index] : []));
}

function isTooWide(range: string): boolean {
  const { version, first, last } = parseRange(range);
  return last - first + 1n > WIDEST[version];
}

/** Rules about the servers that the homeserver talks to. */
export const federationRules: readonly AnyRule[] = [
  rule({
    name: "an allowlist names each server once",
    needs: ["homeserver"],
    when: ({ homeserver: { federation } }) => {
      const list = federation.allowlist ?? [];
      return positions(list, (server, index) => list.indexOf(server) !== index).map(
        (index): Path => ["homeserver", "federation", "allowlist", index],
      );
    },
    message: "is already in the list",
    fix: "remove it",
  }),
  rule({
    name: "key servers are on the allowlist",
    needs: ["homeserver"],
    when: ({ homeserver: { federation } }) => {
      const { allowlist, trustedKeyServers } = federation;
      if (allowlist === undefined || trustedKeyServers === undefined) return [];
      return positions(trustedKeyServers, (server) => !allowlist.includes(server)).map(
        (index): Path => ["homeserver", "federation", "trustedKeyServers", index],
      );
    },
    message: "is not on the allowlist, so Synapse could never reach it",
    fix: "add it to hearth:homeserver.federation.allowlist, or remove it here (each server then provides its own keys)",
  }),
  rule({
    name: "an exception opens neither the host itself nor metadata services",
    needs: ["homeserver"],
    when: ({ homeserver: { federation } }) =>
      positions(federation.allowedRanges, (range) =>
        NEVER_ALLOWED.some((closed) => rangesOverlap(range, closed)),
      ).map((index): Path => ["homeserver", "federation", "allowedRanges", index]),
    message:
      "would let any user or remote server reach the host's own services through Synapse (it does not control who may connect to this server)",
    fix: "remove it; for a partner in a private network write that network only, e.g. 10.20.0.0/24",
  }),
  rule({
    name: "an exception is one network",
    needs: ["homeserver"],
    when: ({ homeserver: { federation } }) =>
      positions(federation.allowedRanges, isTooWide).map(
        (index): Path => ["homeserver", "federation", "allowedRanges", index],
      ),
    message: "is larger than a single network can be (IPv4 /8, IPv6 /7) and would remove the protection",
    fix: "write the partner's network only, e.g. 10.20.0.0/24",
  }),
  rule({
    name: "an exception opens a blocked range",
    needs: ["homeserver"],
    when: ({ homeserver: { federation } }) => {
      const blocked = [...DEFAULT_BLOCKED_RANGES, ...federation.blockedRanges];
      return positions(
        federation.allowedRanges,
        (range) => !blocked.some((one) => rangesOverlap(range, one)),
      ).map((index): Path => ["homeserver", "federation", "allowedRanges", index]);
    },
    message: "has no effect: nothing in this range is blocked",
    fix: "remove it; to limit the servers to federate with, use hearth:homeserver.federation.allowlist",
  }),
  rule({
    name: "a blocked range is not allowed again",
    needs: ["homeserver"],
    when: ({ homeserver: { federation } }) =>
      positions(federation.blockedRanges, (range) =>
        federation.allowedRanges.some((one) => rangesOverlap(range, one)),
      ).map((index): Path => ["homeserver", "federation", "blockedRanges", index]),
    message: "overlaps with allowedRanges, and exceptions take precedence",
    fix: "remove it from one of the two lists",
  }),
  rule({
    name: "blocking leaves the internet reachable",
    needs: ["homeserver"],
    when: ({ homeserver: { federation, urlPreviews } }) => [
      ...positions(federation.blockedRanges, isTooWide).map(
        (index): Path => ["homeserver", "federation", "blockedRanges", index],
      ),
      ...positions(urlPreviews.blockedRanges, isTooWide).map(
        (index): Path => ["homeserver", "urlPreviews", "blockedRanges", index],
      ),
    ],
    message: "blocks more than 1/256 of all addresses, so most servers would be unreachable",
    fix: "write smaller ranges; to stop federation write `allowlist: []`",
  }),
  rule({
    name: "the partner of the checks is on the allowlist",
    needs: ["homeserver", "verification"],
    when: ({ homeserver: { federation }, verification: { partner } }) =>
      at(
        partner !== undefined &&
          federation.allowlist !== undefined &&
          !federation.allowlist.includes(partner.serverName),
        "verification",
        "partner",
        "serverName",
      ),
    message: "is not on the allowlist, so federation with it cannot work",
    fix: "add it to hearth:homeserver.federation.allowlist, or remove the partner",
  }),
  rule({
    name: "the partner of the checks is another server",
    needs: ["homeserver", "verification"],
    when: ({ homeserver, verification: { partner } }) =>
      at(partner?.serverName === homeserver.serverName, "verification", "partner", "serverName"),
    message: "is this server itself, which would prove nothing",
    fix: "name another homeserver, or remove the partner",
  }),
];
