/**
 * Advice for Synapse's own top-level keys in a stack file: most have a key in Hearth, some never existed (Synapse silently
 * ignores those), some are dangerous in the form that how-tos print.
 */

/** From Synapse's key to the key in Hearth that sets it. */
const MODELLED: Readonly<Record<string, string>> = {
  server_name: "hearth:homeserver.serverName",
  public_baseurl: "hearth:homeserver.publicHost",
  listeners: "hearth:homeserver.listener",
  database: "hearth:postgres",
  databases: "hearth:postgres",
  report_stats: "hearth:homeserver.reportStatistics",
  enable_registration: "hearth:homeserver.registration.mode",
  registration_requires_token: "hearth:homeserver.registration.require (with mode: open)",
  email: "hearth:homeserver.email",
  federation_domain_whitelist: "hearth:homeserver.federation.allowlist",
  ip_range_blacklist: "hearth:homeserver.federation.blockedRanges (adds to the safe default)",
  trusted_key_servers: "hearth:homeserver.federation.trustedKeyServers",
  max_upload_size: "hearth:homeserver.media.maxUploadSize",
  max_image_pixels: "hearth:homeserver.media.maxImagePixels",
  media_retention: "hearth:homeserver.media.remoteLifetime and .localLifetime",
  media_upload_limits: "hearth:homeserver.media.uploadLimits",
  prevent_media_downloads_from: "hearth:homeserver.media.blockedServers",
  retention: "hearth:homeserver.retention",
  log_config: "hearth:homeserver.logging",
  presence: "hearth:homeserver.presence",
  use_presence: "hearth:homeserver.presence",
  url_preview_enabled: "hearth:homeserver.urlPreviews.enabled",
  url_preview_ip_range_blacklist: "hearth:homeserver.urlPreviews.blockedRanges (adds to the safe default)",
  url_preview_url_blacklist: "hearth:homeserver.urlPreviews.blockedHosts",
  encryption_enabled_by_default_for_room_type: "hearth:homeserver.encryptionByDefault",
  enable_room_list_search: "hearth:homeserver.roomDirectory.search",
  room_list_publication_rules: "hearth:homeserver.roomDirectory.publish",
  allow_public_rooms_over_federation: "hearth:homeserver.roomDirectory.federated",
  password_config: "hearth:homeserver.passwordPolicy",
  caches: "hearth:homeserver.limits.cacheFactor",
  limit_remote_rooms: "hearth:homeserver.limits.maxRoomComplexity",
  default_identity_server: "hearth:delegation.identityServer",
  rc_message: "hearth:homeserver.rateLimits.message",
  rc_registration: "hearth:homeserver.rateLimits.registration",
  rc_registration_token_validity: "hearth:homeserver.rateLimits.registrationTokenValidity",
  rc_3pid_validation: "hearth:homeserver.rateLimits.thirdPartyIdValidation",
  rc_admin_redaction: "hearth:homeserver.rateLimits.adminRedaction",
  rc_login:
    "hearth:homeserver.rateLimits.login (address, account and failedAttempts, each with perSecond and burst)",
  rc_joins: "hearth:homeserver.rateLimits.joins",
  rc_joins_per_room: "hearth:homeserver.rateLimits.joinsPerRoom",
  rc_room_creation: "hearth:homeserver.rateLimits.roomCreation",
  rc_reports: "hearth:homeserver.rateLimits.reports",
  rc_user_directory: "hearth:homeserver.rateLimits.userDirectory",
  rc_media_create: "hearth:homeserver.rateLimits.mediaCreate",
  rc_delayed_event_mgmt: "hearth:homeserver.rateLimits.delayedEvents",
  rc_invites: "hearth:homeserver.rateLimits.invites",
  rc_third_party_invite: "hearth:homeserver.rateLimits.thirdPartyInvite",
  rc_presence: "hearth:homeserver.rateLimits.presencePerUser",
  rc_federation: "hearth:homeserver.rateLimits.federation",
  federation_rr_transactions_per_room_per_second:
    "hearth:homeserver.rateLimits.federationTransactionsPerRoom",
};

const LISTENER = "remove it; Hearth creates the one listener that is needed, on loopback";
const WORKERS = "remove it; Hearth runs Synapse as one process";
const OWN_FILES = "remove it; Hearth manages this file itself";
const OWN_SECRET = "remove it; Hearth creates this secret on the host and never in a file of the checkout";
const WELL_KNOWN = "remove it; the proxy serves the well-known documents: see hearth:delegation";

/** Keys that are refused, each with the fix. */
const REFUSED: Readonly<Record<string, string>> = {
  registrations_require_3pid:
    "remove it, or use hearth:homeserver.registration `{ mode: open, require: [email] }` with hearth:homeserver.email; without email Synapse exits at startup, even with closed registration",
  enable_registration_captcha:
    "use hearth:homeserver.registration `{ mode: open, require: [captcha] }` with hearth:homeserver.captcha; without keys nobody can pass the captcha",
  enable_registration_without_verification:
    "use hearth:homeserver.registration `{ mode: open, require: [token] }`; registration without a requirement opens the server to every spammer",
  recaptcha_public_key: "use hearth:homeserver.captcha.publicKey",
  recaptcha_public_key_path: "use hearth:homeserver.captcha.publicKey",
  recaptcha_siteverify_api:
    "remove it; Synapse would send the captcha's private key there, and its default is Google's own address",
  recaptcha_private_key_path: "use the secret hearth:secrets.captcha.privateKey",
  recaptcha_private_key: "use the secret hearth:secrets.captcha.privateKey",
  registration_token_validity_period:
    "remove it; Synapse has no such key: each token gets its own expiry when it is created",
  federation_domain_blacklist:
    "allow only chosen servers with hearth:homeserver.federation.allowlist, or deny some with server ACLs in the rooms; Synapse never had such a key",
  federation_ip_range_blacklist:
    "use hearth:homeserver.federation.blockedRanges, which adds to the default; this key replaces Synapse's longer default list",
  ip_range_whitelist:
    "remove it, or use hearth:homeserver.federation.allowedRanges for a partner in a private network; it does not control who may connect: it lets Synapse connect to private addresses for anybody",
  url_preview_ip_range_whitelist: "remove it; it lets users reach private addresses through link previews",
  rc_limits: "use hearth:homeserver.rateLimits; Synapse has no such key",
  limit_registration_to_whitelisted_ips:
    "close registration with hearth:homeserver.registration; Synapse has no such key",
  limit_login_to_whitelisted_ips: "remove it; Synapse has no such key",
  public_rooms_directory_enabled: "use hearth:homeserver.roomDirectory; Synapse has no such key",
  allow_public_rooms_without_auth: "remove it; it shows the room directory to anybody",
  enable_metrics: "remove it; it needs a separate listener, which this version of Hearth does not create",
  bind_host: LISTENER,
  bind_port: LISTENER,
  unsecure_port: LISTENER,
  metrics_port: LISTENER,
  metrics_bind_host: LISTENER,
  manhole: "remove it; it gives a shell inside Synapse to anybody who knows its password",
  manhole_settings: "remove it; it gives a shell inside Synapse to anybody who knows its password",
  perspectives: "use hearth:homeserver.federation.trustedKeyServers",
  replication_torture_level: "remove it; it is for Synapse's own tests",
  workers: WORKERS,
  instance_map: WORKERS,
  stream_writers: WORKERS,
  send_federation: WORKERS,
  federation_sender_instances: WORKERS,
  start_pushers: WORKERS,
  pusher_instances: WORKERS,
  run_background_tasks_on: WORKERS,
  update_user_directory_from_worker: WORKERS,
  notify_appservices_from_worker: WORKERS,
  media_instance_running_background_jobs: WORKERS,
  outbound_federation_restricted_to: WORKERS,
  enable_media_repo: WORKERS,
  pid_file: OWN_FILES,
  daemonize: "remove it; systemd runs Synapse in the foreground",
  media_store_path: OWN_FILES,
  signing_key_path: OWN_FILES,
  suppress_key_server_warning: "remove it; Hearth sets it",
  tls_certificate_path: "remove it; the proxy terminates TLS: see hearth:certificates",
  tls_private_key_path: "remove it; the proxy terminates TLS: see hearth:certificates",
  no_tls: "remove it; the proxy terminates TLS",
  serve_server_wellknown: WELL_KNOWN,
  extra_well_known_client_content: WELL_KNOWN,
  registration_shared_secret: OWN_SECRET,
  registration_shared_secret_path: OWN_SECRET,
  macaroon_secret_key: OWN_SECRET,
  macaroon_secret_key_path: OWN_SECRET,
  form_secret: OWN_SECRET,
  form_secret_path: OWN_SECRET,
  signing_key: OWN_SECRET,
  worker_replication_secret: WORKERS,
  turn_shared_secret:
    "use turn_shared_secret_path with a file on the host; the secret would be in clear text in the stack file",
  turn_password:
    "use turn_shared_secret_path with a file on the host; the secret would be in clear text in the stack file",
};

/** The fix for one of Synapse's keys in a stack file; undefined if the key is allowed. */
export function synapseKeyAdvice(key: string): string | undefined {
  const home = Object.hasOwn(MODELLED, key) ? MODELLED[key] : undefined;
  if (home !== undefined) return `use ${home}`;
  if (Object.hasOwn(REFUSED, key)) return REFUSED[key];
  return key.startsWith("worker_") ? WORKERS : undefined;
}

/** All keys that Hearth sets or refuses, for tests that compare them with what is rendered. */
export const adviceKeys: readonly string[] = [...Object.keys(MODELLED), ...Object.keys(REFUSED)];
