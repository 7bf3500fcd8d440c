/**
 * What becomes of Synapse's own top-level keys when somebody writes them into a stack file: most have a key of Hearth's,
 * some never existed (Synapse ignores those without a word), some are dangerous as how-tos print them.
 */

/** Synapse's key to the key that sets it. */
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

const LISTENER = "Hearth makes the one listener that is needed, on loopback; remove it";
const WORKERS = "Hearth runs Synapse as one process; remove it";
const OWN_FILES = "Hearth keeps this file itself; remove it";
const OWN_SECRET = "it is made on the host and never stands in a file of the checkout; remove it";
const WELL_KNOWN = "the proxy serves the well-known documents: see hearth:delegation; remove it";

/** Keys that are refused, with what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  registrations_require_3pid:
    "Synapse exits at start when this is set without email, even with closed registration; remove it, or use hearth:homeserver.registration `{ mode: open, require: [email] }` with hearth:homeserver.email",
  enable_registration_captcha:
    "without keys it offers a step that nobody can pass; use hearth:homeserver.registration `{ mode: open, require: [captcha] }` with hearth:homeserver.captcha",
  enable_registration_without_verification:
    "it opens the server to every spammer; require something of newcomers: hearth:homeserver.registration `{ mode: open, require: [token] }`",
  recaptcha_public_key: "use hearth:homeserver.captcha.publicKey",
  recaptcha_public_key_path: "use hearth:homeserver.captcha.publicKey",
  recaptcha_siteverify_api:
    "the captcha's private key would be sent there; Synapse asks Google's own address by itself",
  recaptcha_private_key_path: "use the secret hearth:secrets.captcha.privateKey",
  recaptcha_private_key: "use the secret hearth:secrets.captcha.privateKey",
  registration_token_validity_period:
    "Synapse has no such key: each token gets its own expiry when it is made; remove it",
  federation_domain_blacklist:
    "Synapse never had such a key; allow only chosen servers with hearth:homeserver.federation.allowlist, or deny some with server ACLs in the rooms",
  federation_ip_range_blacklist:
    "it replaces Synapse's fuller default by a shorter list; use hearth:homeserver.federation.blockedRanges, which adds to it",
  ip_range_whitelist:
    "it does not say who may connect: it lets Synapse connect to private addresses for anybody; remove it, or use hearth:homeserver.federation.allowedRanges for a partner in a private network",
  url_preview_ip_range_whitelist: "it lets users reach private addresses through link previews; remove it",
  rc_limits: "Synapse has no such key; the limits are at hearth:homeserver.rateLimits",
  limit_registration_to_whitelisted_ips:
    "Synapse has no such key; close registration with hearth:homeserver.registration",
  limit_login_to_whitelisted_ips: "Synapse has no such key; remove it",
  public_rooms_directory_enabled: "Synapse has no such key; use hearth:homeserver.roomDirectory",
  allow_public_rooms_without_auth: "it shows the room directory to anybody; remove it",
  enable_metrics: "it needs a listener of its own, which this version of Hearth does not make; remove it",
  bind_host: LISTENER,
  bind_port: LISTENER,
  unsecure_port: LISTENER,
  metrics_port: LISTENER,
  metrics_bind_host: LISTENER,
  manhole: "it gives a shell inside Synapse to whoever knows its password; remove it",
  manhole_settings: "it gives a shell inside Synapse to whoever knows its password; remove it",
  perspectives: "use hearth:homeserver.federation.trustedKeyServers",
  replication_torture_level: "it is for Synapse's own tests; remove it",
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
  daemonize: "systemd runs Synapse in the foreground; remove it",
  media_store_path: OWN_FILES,
  signing_key_path: OWN_FILES,
  suppress_key_server_warning: "Hearth sets it; remove it",
  tls_certificate_path: "the proxy terminates TLS: see hearth:certificates; remove it",
  tls_private_key_path: "the proxy terminates TLS: see hearth:certificates; remove it",
  no_tls: "the proxy terminates TLS; remove it",
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
    "it would stand in clear in the stack file; use turn_shared_secret_path with a file on the host",
  turn_password:
    "it would stand in clear in the stack file; use turn_shared_secret_path with a file on the host",
};

/** What to do about one of Synapse's keys in a stack file; nothing if Hearth has no opinion about it. */
export function synapseKeyAdvice(key: string): string | undefined {
  const home = Object.hasOwn(MODELLED, key) ? MODELLED[key] : undefined;
  if (home !== undefined) return `use ${home}`;
  if (Object.hasOwn(REFUSED, key)) return REFUSED[key];
  return key.startsWith("worker_") ? WORKERS : undefined;
}

/** All keys that Hearth sets or refuses, for tests that compare them with what is rendered. */
export const adviceKeys: readonly string[] = [...Object.keys(MODELLED), ...Object.keys(REFUSED)];
