import { parseDuration } from "../../config-schemas/language/common";
import type { Endpoint } from "../../hosts/link";
import { endpoint } from "../../runtimes/listener";
import { WELL_KNOWN_CLIENT, WELL_KNOWN_SERVER, type WellKnownDocuments } from "../delegation/documents";
import { block, directive, file } from "./caddyfile";
import { ERROR_ANSWERS, type ErrorAnswer } from "./errors";
import {
  answersBareDomain,
  CONCURRENT,
  federationNames,
  federationPaths,
  type Passed,
  type ProxyPlan,
  publicPaths,
} from "./plan";

/** What Caddy must do. */
export interface CaddyPlan extends ProxyPlan {
  /**
   * Paths of a certificate and its key, as Caddy sees them. Absent: a tunnel on this host ends TLS, and Caddy trusts the
   * tunnel's information about the client's address.
   */
  certificate?: { certificateFile: string; keyFile: string };
}

/** Caddy's admin address, reachable inside its container only. */
export const ADMIN_ADDRESS = "unix//tmp/caddy-admin.sock";
/** URL of Caddy's health check, reachable inside its container only. */
export const HEALTH_URL = "http://127.0.0.1:8081/";

/** Names of the snippets that forward a request, and an upload. */
const SYNAPSE = "synapse";
const UPLOADS = "uploads";
/** The slowest upload that is accepted, bytes per second. */
const SLOWEST_UPLOAD = 64 * 1024;
/** Longer than a restart of Synapse takes. */
const RESTART_WAIT = "15s";
/** Longer than a client's long poll. */
const GRACE_SECONDS = 40;

/** Listeners that systemd opens, in the order of the socket unit: the public one, then the one for federation. */
const LISTENERS = { public: "fd/3", federation: "fd/4" } as const;

/** Caddy's complete configuration. */
export function renderCaddyfile(plan: CaddyPlan): string {
  return file("Written by Hearth. The homeserver's public names and the only paths they answer.", [
    ...block("", globalOptions(plan)),
    "",
    ...snippet(SYNAPSE, plan, CONCURRENT.address),
    "",
    "# Synapse keeps what has come of an upload: as many as this at a time, the others wait here with nothing read.",
    ...snippet(UPLOADS, plan, CONCURRENT.uploads.address),
    "",
    ...publicSite(plan),
    ...(answersBareDomain(plan) && plan.documents ? ["", ...bareDomainSite(plan, plan.documents)] : []),
    ...(federates(plan) ? ["", ...federationSite(plan)] : []),
    ...strangers(plan),
    "",
    ...block(HEALTH_URL.replace(/\/$/, ""), [directive("bind", "127.0.0.1"), directive("respond", 204)]),
  ]);
}

/** Whether there is a listener for federation. Behind a tunnel there is not: plain HTTP has one listener. */
function federates(plan: CaddyPlan): boolean {
  return plan.federationPort && plan.certificate !== undefined;
}

function globalOptions(plan: CaddyPlan): string[] {
  return [
    "# Certificates are never asked for: they are files, or a tunnel's.",
    directive("auto_https", "off"),
    directive("admin", ADMIN_ADDRESS),
    directive("persist_config", "off"),
    "# Long polls end by themselves before a reload or a stop ends them.",
    directive("grace_period", `${GRACE_SECONDS}s`),
    "# Clients put access tokens into queries, so queries stay out of the log, and so do headers.",
    ...block("log default", [
      ...block("format filter", [
        directive("wrap", "json"),
        ...block("fields", [
          `${directive("request>uri", "regexp", "(?i)([?#]|%3f).*")} ""`,
          directive("request>headers", "delete"),
          directive("resp_headers", "delete"),
        ]),
      ]),
    ]),
    ...block("servers", [
      directive("protocols", "h1", ...(plan.certificate ? ["h2"] : [])),
      "# Go ends a request that is still being answered at this time, too: it is no shorter than Synapse may take.",
      ...block("timeouts", [
        directive("read_header", "10s"),
        directive("read_body", `${slowest(plan)}s`),
        directive("idle", "2m"),
      ]),
      directive("max_header_size", "64KB"),
      ...(plan.certificate
        ? []
        : [
            "# The tunnel arrives from this machine itself, and says whom it brings.",
            directive("trusted_proxies", "static", "127.0.0.0/8", "::1/128"),
            directive("trusted_proxies_strict"),
          ]),
    ]),
  ];
}

/** How long a request may take to arrive, in seconds. */
function slowest({ readTimeout, maxUploadBytes }: CaddyPlan): number {
  return Math.max(parseDuration(readTimeout), Math.ceil(maxUploadBytes / SLOWEST_UPLOAD));
}

function addresses(plan: CaddyPlan, names: readonly string[]): string {
  return names.map((name) => `${plan.certificate ? "https" : "http"}://${name}`).join(", ");
}

/** Clients always use https, even if a tunnel ends TLS. */
const HSTS = [directive("header", "Strict-Transport-Security", "max-age=31536000")];

/** A site with these lines and with the lines that all sites share. */
function site(
  plan: CaddyPlan,
  names: readonly string[],
  listener: string,
  lines: readonly string[],
): string[] {
  const { certificate } = plan;
  return block(addresses(plan, names), [
    directive("bind", listener),
    ...(certificate ? [directive("tls", certificate.certificateFile, certificate.keyFile)] : []),
    ...errors(),
    ...block("route", [...HSTS, ...lines, directive("error", 404)]),
  ]);
}

/** The site for clients, and for servers that read the well-known document. */
function publicSite(plan: CaddyPlan): string[] {
  return site(plan, [plan.publicHost], LISTENERS.public, [
    ...(plan.documents ? wellKnown(plan.documents) : []),
    ...publicPaths(plan).flatMap((passed) => passOn(passed)),
  ]);
}

/** User IDs contain the bare domain. Its site serves only the well-known documents. */
function bareDomainSite(plan: CaddyPlan, documents: WellKnownDocuments): string[] {
  return site(plan, [plan.serverName], LISTENERS.public, wellKnown(documents));
}

/** The site for servers that connect to the default port of federation. */
function federationSite(plan: CaddyPlan): string[] {
  const paths = federationPaths().flatMap((passed) => passOn(passed));
  return site(plan, federationNames(plan), LISTENERS.federation, paths);
}

/** Answers requests for unknown names. With TLS these fail earlier, because there is no certificate. */
function strangers(plan: CaddyPlan): string[] {
  if (plan.certificate) return [];
  return [
    "",
    ...block("http://", [directive("bind", LISTENERS.public), ...said(ERROR_ANSWERS.unrecognized)]),
  ];
}

function wellKnown(documents: WellKnownDocuments): string[] {
  return [...document(WELL_KNOWN_SERVER, documents.server), ...document(WELL_KNOWN_CLIENT, documents.client)];
}

function document(path: string, body: string): string[] {
  return block(`handle ${path}`, said({ body, status: 200 }));
}

/** An answer from Caddy itself, which web pages of any origin may read. */
function said({ body, status }: Pick<ErrorAnswer, "body" | "status">): string[] {
  return [
    directive("header", "Content-Type", "application/json"),
    directive("header", "Access-Control-Allow-Origin", "*"),
    directive("respond", body, status),
  ];
}

/** Caddy's own errors, in the format that Matrix clients expect. */
function errors(): string[] {
  return Object.values(ERROR_ANSWERS).flatMap((answer) =>
    block(`handle_errors ${answer.statuses.join(" ")}`, [...HSTS, ...said(answer)]),
  );
}

/** Matches `.` and `..` as segments of a path, also percent-encoded: no valid request contains them. */
const DOT_SEGMENT = "(?i)^[^?]*(/|%2f)([.]|%2e)([.]|%2e)?(/|%2f|[?]|$)";

/**
 * The size that a request announces, in Caddy's expression language; -1 if there is none. A request that announces too much is
 * refused before the client sends the body; max_size alone would read the body up to its limit first.
 */
const LENGTH = "{http.request.header.Content-Length}";
const ANNOUNCED = `(${LENGTH}.matches("^[0-9]{1,18}$") ? int(${LENGTH}) : -1)`;

/**
 * Forwards one path to Synapse. The matcher reads the raw path, because Synapse gets exactly these bytes, as servers signed
 * them: `%2F` stays `%2F`, and `/_matrix/..%2f_synapse/admin` does not match.
 */
function passOn({ path, maxBytes, upload }: Passed): string[] {
  const matcher = `@${path.replaceAll(/[^a-z0-9]+/g, "_")}`;
  return [
    ...block(matcher, [
      directive("vars_regexp", "{http.request.orig_uri}", `^${path}`),
      directive("not vars_regexp", "{http.request.orig_uri}", DOT_SEGMENT),
    ]),
    ...block(`handle ${matcher}`, [
      `@too_large expression ${ANNOUNCED} > ${maxBytes}`,
      directive("error", "@too_large", 413),
      ...block("request_body", [directive("max_size", maxBytes)]),
      directive("import", upload ? UPLOADS : SYNAPSE),
    ]),
  ];
}

/** A snippet that forwards requests, `atATime` of them at the same time; others wait until one has ended. */
function snippet(name: string, plan: CaddyPlan, atATime: number): string[] {
  return block(
    `(${name})`,
    block(`reverse_proxy ${upstreamOf(plan.upstream)}`, upstreamOptions(plan, atATime)),
  );
}

function upstreamOf(upstream: Endpoint): string {
  return upstream.kind === "socket" ? `unix/${upstream.path}` : endpoint(upstream);
}

function upstreamOptions({ readTimeout }: CaddyPlan, atATime: number): string[] {
  const wait = `${parseDuration(readTimeout)}s`;
  return [
    "# While Synapse restarts, requests wait for it. What the restart cut off is asked again, unless it may have changed something.",
    directive("lb_try_duration", RESTART_WAIT),
    directive("lb_try_interval", "100ms"),
    "# Else a request with a body could not be asked again: it is closed with the connection that failed. An event has 64 KiB.",
    directive("request_buffers", "64KiB"),
    "# Replaced, never appended to: Synapse believes the first address it finds.",
    directive("header_up", "X-Forwarded-For", "{client_ip}"),
    directive("header_up", "X-Forwarded-Proto", "https"),
    ...block("transport http", [
      directive("dial_timeout", "5s"),
      ...["response_header_timeout", "read_timeout", "write_timeout"].map((name) => directive(name, wait)),
      "# A kept connection may lead to a Synapse that ends just now; over a socket a new one costs nothing.",
      directive("keepalive", "off"),
      directive("max_conns_per_host", atATime),
      directive("compression", "off"),
    ]),
  ];
}
