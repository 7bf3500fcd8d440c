import { isLoopback } from "../language/addresses";
import { isAtLeast, parseDuration, parseSize } from "../language/common";
import type { Path } from "../language/fault";
import { type AnyRule, at, rule } from "../language/rule";
import { installSource } from "./schema";
import { lockedVersions, makeLock } from "./synapse-locks";

const TAKEN_PORTS: Readonly<Record<number, string>> = {
  22: "sshd",
  80: "the proxy",
  443: "the proxy",
  5432: "Postgres",
  8448: "the proxy",
};
/** How long a host that is not always on runs without a break, at least. */
const SHORTEST_UPTIME = "1h";
/** The oldest Synapse that recovers by itself when its database was away: in older releases rooms stay blocked until a restart. */
const OLDEST_SYNAPSE = "1.161.0";

/** Rules about the homeserver itself: its listener, its retention. */
export const homeserverRules: readonly AnyRule[] = [
  rule({
    name: "Synapse is new enough",
    needs: ["homeserver"],
    when: ({ homeserver }) => at(!isAtLeast(homeserver.version, OLDEST_SYNAPSE), "homeserver", "version"),
    message: ({ homeserver }) =>
      `is ${homeserver.version}: before ${OLDEST_SYNAPSE} a restart of the database can block rooms until Synapse is restarted too`,
    fix: `use ${OLDEST_SYNAPSE} or newer`,
  }),
  rule({
    name: "a release from the Python index is locked",
    needs: ["hosts", "homeserver"],
    when: ({ hosts, homeserver }) =>
      at(
        hosts[homeserver.host]?.runtime === "native" &&
          installSource(homeserver) === "pypi" &&
          isAtLeast(homeserver.version, OLDEST_SYNAPSE) &&
          !lockedVersions().includes(homeserver.version),
        "homeserver",
        "version",
      ),
    message: ({ homeserver }) =>
      `is ${homeserver.version}, which has no lock; Hearth installs only packages with known hashes. Locks exist for: ${lockedVersions().join(", ")}`,
    fix: ({ homeserver }) =>
      `use one of these; or run \`${makeLock(homeserver.version)}\`, review the result and commit it`,
  }),
  rule({
    name: "Synapse listens on loopback only",
    needs: ["homeserver"],
    when: ({ homeserver: { listener } }) =>
      (listener?.bindAddresses ?? []).flatMap((address, index): Path[] =>
        isLoopback(address) ? [] : [["homeserver", "listener", "bindAddresses", index]],
      ),
    message:
      "is not a loopback address: others could reach the admin API there and forge the client address that rate limits use",
    fix: 'write ["127.0.0.1"]; the proxy serves the public',
  }),
  rule({
    name: "Synapse's port is free",
    needs: ["homeserver"],
    when: ({ homeserver: { listener } }) =>
      at(
        listener !== undefined && Object.hasOwn(TAKEN_PORTS, listener.port),
        "homeserver",
        "listener",
        "port",
      ),
    message: ({ homeserver: { listener } }) =>
      `is ${listener?.port}, the port of ${TAKEN_PORTS[listener?.port ?? 0]}`,
    fix: "write `port: 8008`",
  }),
  rule({
    name: "one upload fits into its period",
    needs: ["homeserver"],
    when: ({ homeserver: { media } }) =>
      media.uploadLimits.flatMap((limit, index): Path[] =>
        parseSize(limit.size) < parseSize(media.maxUploadSize)
          ? [["homeserver", "media", "uploadLimits", index, "size"]]
          : [],
      ),
    message: ({ homeserver: { media } }) =>
      `is smaller than the largest upload (maxUploadSize ${media.maxUploadSize})`,
    fix: "raise it, or lower hearth:homeserver.media.maxUploadSize",
  }),
  rule({
    name: "one upload fits into the media limit",
    needs: ["homeserver", "verification"],
    when: ({ homeserver: { media }, verification: { mediaLimit } }) =>
      at(
        mediaLimit !== undefined && parseSize(mediaLimit) < parseSize(media.maxUploadSize),
        "verification",
        "mediaLimit",
      ),
    message: ({ homeserver: { media } }) =>
      `is smaller than the largest upload (maxUploadSize ${media.maxUploadSize})`,
    fix: "raise it, or lower hearth:homeserver.media.maxUploadSize",
  }),
  rule({
    name: "the shortest room lifetime is not above the longest",
    needs: ["homeserver"],
    when: ({ homeserver: { retention } }) =>
      at(
        retention?.allowedMin !== undefined &&
          retention.allowedMax !== undefined &&
          parseDuration(retention.allowedMin) > parseDuration(retention.allowedMax),
        "homeserver",
        "retention",
        "allowedMin",
      ),
    message: ({ homeserver: { retention } }) =>
      `is ${retention?.allowedMin}, above allowedMax (${retention?.allowedMax}); Synapse would not start`,
    fix: "swap them, or remove one",
  }),
  rule({
    name: "messages are purged within their lifetime",
    needs: ["homeserver"],
    when: ({ homeserver: { retention } }) =>
      at(
        retention !== undefined &&
          parseDuration(retention.purgeInterval) > parseDuration(retention.maxLifetime),
        "homeserver",
        "retention",
        "purgeInterval",
      ),
    message: ({ homeserver: { retention } }) =>
      `is ${retention?.purgeInterval}, longer than the lifetime of messages (${retention?.maxLifetime}): they would stay on disk for more than twice their lifetime`,
    fix: "write a shorter one, e.g. `purgeInterval: 1h`",
  }),
  rule({
    name: "purging happens on a host that is off at night",
    needs: ["homeserver", "hosts"],
    when: ({ homeserver: { host, retention }, hosts }) =>
      at(
        retention !== undefined &&
          hosts[host]?.alwaysOn === false &&
          parseDuration(retention.purgeInterval) > parseDuration(SHORTEST_UPTIME),
        "homeserver",
        "retention",
        "purgeInterval",
      ),
    message: ({ homeserver: { host, retention } }) =>
      `is ${retention?.purgeInterval}, but ${host} is not always on: the interval starts again at each start, so nothing would ever be purged`,
    fix: `write \`purgeInterval: ${SHORTEST_UPTIME}\``,
  }),
  rule({
    name: "a server that is its own public host does not delegate",
    needs: ["homeserver", "delegation"],
    when: ({ homeserver, delegation }) =>
      at(
        homeserver.serverName === homeserver.publicHost && delegation.serve === "elsewhere",
        "delegation",
        "serve",
      ),
    message: "is elsewhere, but serverName and publicHost are the same name, which this stack's proxy serves",
    fix: "write `serve: here`, or choose a different publicHost for the homeserver",
  }),
];
