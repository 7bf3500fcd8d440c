import { stringify } from "yaml";
import {
  blockedRanges,
  federationAllowlist,
  type HomeserverConfig,
  previewBlockedRanges,
  registrationRequirements,
  trustedKeyServers,
} from "../../config-schemas/homeserver/schema";
import type { DatabaseAccess } from "../postgres";
import type { SynapsePaths, SynapsePlace } from "./place";
import { rateLimitSettings } from "./rate-limits";

type EmailConfig = NonNullable<HomeserverConfig["email"]>;

/** Settings of Synapse, any YAML. Settings that are `undefined` are not written. */
export type Settings = Record<string, unknown>;

export interface HomeserverFacts {
  database: DatabaseAccess;
  place: SynapsePlace;
  /** Base URL of the identity server that the client document names. */
  identityServer?: string;
}

/** Synapse's configuration as one document in a fixed order, with the operator's `extra` last. */
export function renderHomeserver(config: HomeserverConfig, facts: HomeserverFacts): string {
  const settings: Settings = { ...homeserverSettings(config, facts), ...config.extra };
  return document("Written by Hearth from hearth:homeserver; a change here restarts Synapse.", settings);
}

/** All settings that Hearth itself sets. */
export function homeserverSettings(config: HomeserverConfig, facts: HomeserverFacts): Settings {
  const { paths } = facts.place;
  return {
    server_name: config.serverName,
    public_baseurl: `https://${config.publicHost}/`,
    default_identity_server: facts.identityServer,
    report_stats: config.reportStatistics,
    ...listenerSettings(facts.place),
    ...databaseSettings(facts.database, paths),
    ...secretSettings(paths),
    log_config: paths.logConfig,
    ...registrationSettings(config, paths),
    // If there is a login, this block is in a secret file.
    email: config.email && config.email.user === undefined ? emailSettings(config.email) : undefined,
    ...federationSettings(config),
    ...mediaSettings(config, paths),
    retention: retentionSettings(config.retention),
    presence: { enabled: config.presence },
    ...urlPreviewSettings(config),
    ...roomSettings(config),
    ...limitSettings(config),
    ...rateLimitSettings(config.rateLimits),
  };
}

/**
 * Outgoing mail with a login, as a separate document. It is a secret file, because Synapse reads the password only from its
 * configuration. The block is complete, because Synapse replaces whole blocks.
 */
export function renderEmail(email: EmailConfig, password: string): string {
  return document("Written by Hearth from hearth:homeserver.email.", {
    email: emailSettings(email, password),
  });
}

/** One log file a day, kept for the days that the stack says; errors also go to the journal. */
export function renderLogging({ level, keep }: HomeserverConfig["logging"], logFile: string): string {
  const settings = {
    version: 1,
    formatters: {
      precise: { format: "%(asctime)s - %(name)s - %(lineno)d - %(levelname)s - %(request)s - %(message)s" },
    },
    handlers: {
      file: {
        class: "logging.handlers.TimedRotatingFileHandler",
        formatter: "precise",
        filename: logFile,
        when: "midnight",
        backupCount: Number.parseInt(keep, 10),
        encoding: "utf8",
      },
      journal: { class: "logging.StreamHandler", formatter: "precise", level: "ERROR" },
    },
    root: { level, handlers: ["file", "journal"] },
    // At DEBUG this logger writes every SQL statement with its values, including access tokens.
    loggers: level === "DEBUG" ? { "synapse.storage.SQL": { level: "INFO" } } : undefined,
    disable_existing_loggers: false,
  };
  return document(
    "Written by Hearth from hearth:homeserver.logging; a change here reloads Synapse.",
    settings,
  );
}

function document(comment: string, settings: Settings): string {
  return `# ${comment}\n${stringify(settings, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

function listenerSettings({ socket, listen }: SynapsePlace): Settings {
  const http = {
    type: "http",
    x_forwarded: true,
    resources: [{ names: ["client", "federation"], compress: false }],
  };
  const tcp = listen && { port: listen.port, bind_addresses: listen.addresses, tls: false, ...http };
  return { listeners: [{ path: socket, ...http }, ...(tcp ? [tcp] : [])] };
}

function databaseSettings(access: DatabaseAccess, paths: SynapsePaths): Settings {
  const args = {
    user: access.role,
    dbname: access.database,
    host: access.host,
    port: access.port,
    passfile: access.passfileCommand === undefined ? undefined : paths.passfile,
    cp_min: access.pool.min,
    cp_max: access.pool.max,
  };
  return { database: { name: "psycopg2", args } };
}

function secretSettings(paths: SynapsePaths): Settings {
  return {
    signing_key_path: paths.signingKey,
    registration_shared_secret_path: paths.registration,
    macaroon_secret_key_path: paths.macaroon,
    form_secret_path: paths.form,
  };
}

function registrationSettings(config: HomeserverConfig, paths: SynapsePaths): Settings {
  const required = registrationRequirements(config);
  const captcha = required.includes("captcha");
  const { minimumLength, requireDigit, requireSymbol, requireLowercase, requireUppercase } =
    config.passwordPolicy;
  return {
    enable_registration: config.registration.mode === "open",
    registration_requires_token: required.includes("token") ? true : undefined,
    registrations_require_3pid: required.includes("email") ? ["email"] : undefined,
    enable_registration_captcha: captcha ? true : undefined,
    recaptcha_public_key_path: captcha ? paths.captchaPublicKey : undefined,
    recaptcha_private_key_path: captcha ? paths.captchaPrivateKey : undefined,
    password_config: {
      policy: {
        enabled: true,
        minimum_length: minimumLength,
        require_digit: requireDigit,
        require_symbol: requireSymbol,
        require_lowercase: requireLowercase,
        require_uppercase: requireUppercase,
      },
    },
  };
}

function emailSettings(email: EmailConfig, password?: string): Settings {
  return {
    smtp_host: email.smtpHost,
    smtp_port: email.smtpPort,
    ...(email.security === "tls" ? { force_tls: true } : { require_transport_security: true }),
    smtp_user: email.user,
    smtp_pass: password,
    notif_from: email.from,
    enable_notifs: email.notifications,
  };
}

function federationSettings(config: HomeserverConfig): Settings {
  const { allowedRanges } = config.federation;
  return {
    federation_domain_whitelist: federationAllowlist(config),
    ip_range_blacklist: blockedRanges(config),
    ip_range_whitelist: allowedRanges.length > 0 ? allowedRanges : undefined,
    trusted_key_servers: trustedKeyServers(config).map((name) => ({ server_name: name })),
    suppress_key_server_warning: true,
  };
}

function mediaSettings({ media }: HomeserverConfig, paths: SynapsePaths): Settings {
  const lifetimes = {
    remote_media_lifetime: media.remoteLifetime,
    local_media_lifetime: media.localLifetime,
  };
  const limits = media.uploadLimits.map(({ period, size }) => ({ time_period: period, max_size: size }));
  return {
    media_store_path: paths.media,
    max_upload_size: media.maxUploadSize,
    max_image_pixels: media.maxImagePixels,
    media_retention: media.remoteLifetime || media.localLifetime ? lifetimes : undefined,
    media_upload_limits: limits.length > 0 ? limits : undefined,
    prevent_media_downloads_from: media.blockedServers.length > 0 ? media.blockedServers : undefined,
  };
}

function retentionSettings(retention: HomeserverConfig["retention"]): Settings | undefined {
  if (retention === undefined) return undefined;
  return {
    enabled: true,
    default_policy: { max_lifetime: retention.maxLifetime },
    allowed_lifetime_min: retention.allowedMin,
    allowed_lifetime_max: retention.allowedMax,
    // One job without bounds, so it covers every lifetime.
    purge_jobs: [{ interval: retention.purgeInterval }],
  };
}

function urlPreviewSettings(config: HomeserverConfig): Settings {
  if (!config.urlPreviews.enabled) return { url_preview_enabled: false };
  const hosts = config.urlPreviews.blockedHosts.map((netloc) => ({ netloc }));
  return {
    url_preview_enabled: true,
    url_preview_ip_range_blacklist: previewBlockedRanges(config),
    url_preview_url_blacklist: hosts.length > 0 ? hosts : undefined,
  };
}

function roomSettings({ encryptionByDefault, roomDirectory }: HomeserverConfig): Settings {
  return {
    encryption_enabled_by_default_for_room_type: encryptionByDefault === "none" ? "off" : encryptionByDefault,
    enable_room_list_search: roomDirectory.search,
    allow_public_rooms_over_federation: roomDirectory.federated,
    // Without a rule only admins may publish rooms.
    room_list_publication_rules: roomDirectory.publish === "everyone" ? [{ action: "allow" }] : undefined,
  };
}

function limitSettings({ limits }: HomeserverConfig): Settings {
  const complexity = limits.maxRoomComplexity;
  return {
    caches: { global_factor: limits.cacheFactor },
    limit_remote_rooms: complexity === undefined ? undefined : { enabled: true, complexity },
  };
}
