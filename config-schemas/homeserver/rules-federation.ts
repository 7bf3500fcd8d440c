import { DEFAULT_BLOCKED_RANGES, parseRange, rangesOverlap } from "../language/addresses";
import type { Path } from "../language/fault";
import { type AnyRule, at, rule } from "../language/rule";

/** Ranges that may never be opened: the host itself, and link-local with the cloud providers' metadata services. */
const NEVER_ALLOWED = ["127.0.0.0/8", "::1/128", "0.0.0.0/8", "::/128", "169.254.0.0/16", "fe80::/10"];
/** The largest range that can be one partner's network: a /8, or IPv6's unique local addresses. */
const WIDEST = { 4: 1n << 24n, 6: 1n << 121n } as const;

function positions<T>(list: readonly T[], broken: (item: T, index: number) => boolean): number[] {
  return list.flatMap((item, index) => (broken(item, index) ? [index] : []));
}

function isTooWide(range: string): boolean {
  const { version, first, last } = parseRange(range);
  return last - first + 1n > WIDEST[version];
}

/** Rules about whom the homeserver talks to. */
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
    message: "stands in the list already",
    fix: "remove it",
  }),
  rule({
    name: "key servers can be reached",
    needs: ["homeserver"],
    when: ({ homeserver: { federation } }) => {
      const { allowlist, trustedKeyServers } = federation;
      if (allowlist === undefined || trustedKeyServers === undefined) return [];
      return positions(trustedKeyServers, (server) => !allowlist.includes(server)).map(
        (index): Path => ["homeserver", "federation", "trustedKeyServers", index],
      );
    },
    message: "is not on the allowlist, so it could never be asked",
    fix: "add it to hearth:homeserver.federation.allowlist, or remove it here (keys then come from their own servers)",
  }),
  rule({
    name: "an exception opens neither the host itself nor metadata services",
    needs: ["homeserver"],
    when: ({ homeserver: { federation } }) =>
      positions(federation.allowedRanges, (range) =>
        NEVER_ALLOWED.some((closed) => rangesOverlap(range, closed)),
      ).map((index): Path => ["homeserver", "federation", "allowedRanges", index]),
    message:
      "would let any user or remote server reach the host's own services through Synapse (it does not say who may connect to us)",
    fix: "remove it; for a partner in a private network name that network only, e.g. 10.20.0.0/24",
  }),
  rule({
    name: "an exception is one network",
    needs: ["homeserver"],
    when: ({ homeserver: { federation } }) =>
      positions(federation.allowedRanges, isTooWide).map(
        (index): Path => ["homeserver", "federation", "allowedRanges", index],
      ),
    message: "is wider than any one network (IPv4 /8, IPv6 /7) and would undo the protection",
    fix: "name the partner's network only, e.g. 10.20.0.0/24",
  }),
  rule({
    name: "an exception excepts something",
    needs: ["homeserver"],
    when: ({ homeserver: { federation } }) => {
      const blocked = [...DEFAULT_BLOCKED_RANGES, ...federation.blockedRanges];
      return positions(
        federation.allowedRanges,
        (range) => !blocked.some((one) => rangesOverlap(range, one)),
      ).map((index): Path => ["homeserver", "federation", "allowedRanges", index]);
    },
    message: "has no effect: nothing there is blocked",
    fix: "remove it; to say with whom to federate, use hearth:homeserver.federation.allowlist",
  }),
  rule({
    name: "what is blocked is not allowed again",
    needs: ["homeserver"],
    when: ({ homeserver: { federation } }) =>
      positions(federation.blockedRanges, (range) =>
        federation.allowedRanges.some((one) => rangesOverlap(range, one)),
      ).map((index): Path => ["homeserver", "federation", "blockedRanges", index]),
    message: "is (partly) in allowedRanges too, and exceptions win",
    fix: "take it out of one of the two lists",
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
    message: "blocks more than 1/256 of all addresses, so most servers would be out of reach",
    fix: "name smaller ranges; to stop federation write `allowlist: []`",
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
    message: "is this server itself; that proves nothing",
    fix: "name another homeserver, or remove the partner",
  }),
];
