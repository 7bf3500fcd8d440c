import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";

type RateLimits = HomeserverConfig["rateLimits"];

interface Bucket {
  perSecond: number;
  burst: number;
}

function bucket(limit: Bucket | undefined) {
  return limit === undefined ? undefined : { per_second: limit.perSecond, burst_count: limit.burst };
}

/** A block of several buckets; absent if none of them is set, because Synapse fails on an empty block. */
function block(buckets: Record<string, Bucket | undefined>) {
  const set = Object.entries(buckets).filter(([, limit]) => limit !== undefined);
  if (set.length === 0) return undefined;
  return Object.fromEntries(set.map(([name, limit]) => [name, bucket(limit)]));
}

function federation(limit: RateLimits["federation"]) {
  if (limit === undefined) return undefined;
  // The values end in `ms`; Synapse expects milliseconds without a unit.
  return {
    window_size: Number.parseInt(limit.window, 10),
    sleep_limit: limit.sleepLimit,
    sleep_delay: Number.parseInt(limit.sleepDelay, 10),
    reject_limit: limit.rejectLimit,
    concurrent: limit.concurrent,
  };
}

/** The rate limits as Synapse's settings; Synapse's defaults apply to those that are not set. */
export function rateLimitSettings(limits: RateLimits): Record<string, unknown> {
  const { login, joins, invites } = limits;
  return {
    rc_message: bucket(limits.message),
    rc_registration: bucket(limits.registration),
    rc_registration_token_validity: bucket(limits.registrationTokenValidity),
    rc_3pid_validation: bucket(limits.thirdPartyIdValidation),
    rc_login: block({
      address: login?.address,
      account: login?.account,
      failed_attempts: login?.failedAttempts,
    }),
    rc_admin_redaction: bucket(limits.adminRedaction),
    rc_joins: block({ local: joins?.local, remote: joins?.remote }),
    rc_joins_per_room: bucket(limits.joinsPerRoom),
    rc_room_creation: bucket(limits.roomCreation),
    rc_invites: block({
      per_room: invites?.perRoom,
      per_user: invites?.perUser,
      per_issuer: invites?.perIssuer,
    }),
    rc_third_party_invite: bucket(limits.thirdPartyInvite),
    rc_media_create: bucket(limits.mediaCreate),
    rc_reports: bucket(limits.reports),
    rc_user_directory: bucket(limits.userDirectory),
    rc_delayed_event_mgmt: bucket(limits.delayedEvents),
    rc_presence: block({ per_user: limits.presencePerUser }),
    rc_federation: federation(limits.federation),
    federation_rr_transactions_per_room_per_second: limits.federationTransactionsPerRoom,
  };
}
