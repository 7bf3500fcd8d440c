import { endpoint } from "../../runtimes/listener";
import { SYSTEM_PLACES } from "../../runtimes/places";
import type { CertificatePaths } from "../certificates/paths";
import { WELL_KNOWN_CLIENT, WELL_KNOWN_SERVER, type WellKnownDocuments } from "../delegation/documents";
import { ERROR_ANSWERS } from "./errors";
import { block, file, listen, listenPlain, quoted, REDIRECT } from "./nginx";
import {
  answersBareDomain,
  CONCURRENT,
  federationNames,
  federationPaths,
  type Passed,
  type ProxyPlan,
  publicPaths,
  SMALL_BODY_BYTES,
} from "./plan";

/** What nginx must do. */
export interface NginxPlan extends ProxyPlan {
  /** Version of nginx on the host, e.g. `1.26.3`. */
  nginx: string;
  certificate: CertificatePaths;
  /** Whether another release has the server for HTTP on port 80, where an authority asks for proofs. */
  challenged: boolean;
}

const FOLDER = SYSTEM_PLACES.config("proxy");
/** Names of files in this folder. */
export const SITES = "sites";
export const MAIN_FILE = "nginx.conf";
export const MATRIX_FILE = `${SITES}/matrix.conf`;
export const UPSTREAM_FILE = "synapse.inc";
/** Folder of the sites that nginx serves, and path of its main file. */
export const SITES_FOLDER = `${FOLDER}/${SITES}`;
export const MAIN_PATH = `${FOLDER}/${MAIN_FILE}`;

/**
 * nginx's main file. It includes only files in our own folder.
 * @param user system user of its worker processes
 */
export function renderMain(user: string): string {
  return file("Written by Hearth. nginx runs with this file instead of /etc/nginx/nginx.conf.", [
    `user ${user};`,
    "worker_processes auto;",
    "worker_rlimit_nofile 8192;",
    "pid /run/nginx.pid;",
    "# What nginx says of itself; what it says of requests is below http.",
    "error_log /var/log/nginx/error.log;",
    ...block("events", ["worker_connections 4096;"]),
    ...block("http", [
      "include /etc/nginx/mime.types;",
      "default_type application/octet-stream;",
      "server_tokens off;",
      "sendfile on;",
      "tcp_nopush on;",
      "",
      "# Clients put access tokens into queries, so queries stay out of the log.",
      ...block("map $request_uri $path_only", ['"~*^(?<path>.*?)([?#]|%3f|$)" $path;']),
      `log_format hearth '$remote_addr [$time_local] "$request_method $path_only $server_protocol" $status $body_bytes_sent "$http_user_agent" $request_time';`,
      "access_log /var/log/nginx/access.log hearth;",
      "# Every other level writes whole request lines, with their queries: `crit` when Synapse's socket is missing or the disk is",
      "# full, `alert` when connections run out. How each request ended is in the access log.",
      "error_log /var/log/nginx/error.log emerg;",
      "",
      ...limits(),
      "",
      "ssl_protocols TLSv1.2 TLSv1.3;",
      `ssl_ciphers ${TLS12_CIPHERS.join(":")};`,
      "ssl_prefer_server_ciphers off;",
      "ssl_session_timeout 1d;",
      "ssl_session_cache shared:hearth:10m;",
      "ssl_session_tickets off;",
      "",
      `include ${FOLDER}/${SITES}/*.conf;`,
    ]),
  ]);
}

/** Limits for strangers: connections, and bodies that never end. See {@link CONCURRENT}. */
function limits(): string[] {
  const small = `[0-9]{1,${String(SMALL_BODY_BYTES).length}}`;
  return [
    "client_header_timeout 15s;",
    "client_body_timeout 30s;",
    "send_timeout 30s;",
    "keepalive_timeout 75s;",
    "client_max_body_size 1;",
    "# Answers that a client is slow to take wait in Synapse, not on this disk.",
    "proxy_max_temp_file_size 0;",
    "",
    "# Whoever has IPv6 has at least a /64 of addresses: the first four groups, or what is before `::`.",
    ...block("map $remote_addr $client", [
      '"~^(?<four>[0-9a-f]+(:[0-9a-f]+){3}):" $four;',
      '"~^(?<fewer>[0-9a-f]+(:[0-9a-f]+){0,2})::" $fewer;',
      "default $remote_addr;",
    ]),
    "# Requests with a large body, or one of unknown size.",
    ...block('map "$request_method $http_transfer_encoding $content_length" $large_body', [
      '"~^(GET|HEAD|OPTIONS)  $" "";',
      `"~ ${small}$" "";`,
      "default $client;",
    ]),
    ...block("map $large_body $any_large_body", ['"" "";', "default all;"]),
    "limit_conn_zone $client zone=clients:4m;",
    "limit_conn_zone $server_name zone=names:1m;",
    ...["uploads", "large"].flatMap((zone) => [
      `limit_conn_zone $large_body zone=${zone}:4m;`,
      `limit_conn_zone $any_large_body zone=all_${zone}:1m;`,
    ]),
    "limit_conn_status 429;",
  ];
}

/** Forward secrecy and authenticated encryption, for RSA and ECDSA certificates; TLS 1.3 has its own ciphers. */
const TLS12_CIPHERS = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
];

/** The file that every location includes to forward its requests to Synapse. */
export function renderUpstream(plan: ProxyPlan): string {
  return file("Written by Hearth. How a request is passed on to Synapse.", [
    "# No path here: the request goes on byte for byte, as servers signed it (%2F stays %2F).",
    "proxy_pass http://synapse;",
    "proxy_http_version 1.1;",
    "proxy_set_header Host $host;",
    "# Replaced, never appended to: Synapse believes the first address it finds.",
    "proxy_set_header X-Forwarded-For $remote_addr;",
    "proxy_set_header X-Forwarded-Proto $scheme;",
    `proxy_read_timeout ${plan.readTimeout};`,
    `proxy_send_timeout ${plan.readTimeout};`,
    ...(plan.upstream.kind === "socket" ? ["proxy_connect_timeout 5s;"] : throughLink()),
    "# While Synapse restarts, requests wait on its socket. What the restart cut off is asked again, unless it may have changed something.",
    "proxy_next_upstream error;",
  ]);
}

/** The virtual servers of the homeserver. */
export function renderMatrix(plan: NginxPlan): string {
  return file("Written by Hearth. The homeserver's public names and the only paths they answer.", [
    ...upstream(plan),
    "",
    ...strangers(plan),
    "",
    ...(plan.challenged ? [] : [...redirect(plan), ""]),
    ...publicServer(plan),
    ...(answersBareDomain(plan) && plan.documents ? ["", ...bareDomain(plan, plan.documents)] : []),
    ...(plan.federationPort ? ["", ...federationServer(plan)] : []),
  ]);
}

/** How often a request is sent again when the connection to Synapse fails: during a change, its roll back and failed starts. */
const TRIES = 4;

/** Open connections to the other host that nginx keeps for the next requests: a new one costs two trips through the link. */
const KEPT = 64;

/** How long nginx keeps an unused one, seconds: a host that loses power does not close it, and a request on it would wait for minutes. */
const KEPT_SECONDS = 5;

/**
 * The same server several times: nginx tries each of them at most once, and never marks one as failed. To a socket it keeps no
 * connection open: a new one costs nothing, and a retry on an old one would reach the Synapse that is stopping. Through a link
 * one server is enough: connections wait on the other host while Synapse restarts, and a host that is off must not be tried
 * again and again while a client waits.
 */
function upstream({ upstream: to }: ProxyPlan): string[] {
  if (to.kind === "socket") {
    const server = `server unix:${to.path} max_fails=0;`;
    return block(
      "upstream synapse",
      Array.from({ length: TRIES }, () => server),
    );
  }
  return block("upstream synapse", [
    `server ${endpoint(to)} max_fails=0;`,
    `keepalive ${KEPT};`,
    `keepalive_timeout ${KEPT_SECONDS}s;`,
  ]);
}

/** A host that is off does not answer at all: clients hear of it after this time. */
function throughLink(): string[] {
  return ["proxy_connect_timeout 1500ms;", 'proxy_set_header Connection "";'];
}

/** nginx does not answer requests for unknown names at all. */
function strangers(plan: NginxPlan): string[] {
  const secure = plan.federationPort ? [443, 8448] : [443];
  return [
    ...block("server", [...listenPlain(plan, 80, " default_server"), "return 444;"]),
    ...secure.flatMap((port) => [
      "",
      ...block("server", [
        ...listen(plan, port, " default_server"),
        "ssl_reject_handshake on;",
        "# One of our names in the handshake, another in the request.",
        "return 444;",
      ]),
    ]),
  ];
}

function redirect(plan: ProxyPlan): string[] {
  return block("server", [
    ...listenPlain(plan, 80),
    `server_name ${federationNames(plan).join(" ")};`,
    REDIRECT,
  ]);
}

function tls({ certificate: { certificateFile, keyFile } }: NginxPlan): string[] {
  return [`ssl_certificate ${certificateFile};`, `ssl_certificate_key ${keyFile};`];
}

const HSTS = "add_header Strict-Transport-Security max-age=31536000 always;";
/** Headers of nginx's own answers, which web pages of any origin may read. A location does not inherit its server's headers. */
const OWN_HEADERS = ["add_header Access-Control-Allow-Origin * always;", HSTS];

/** All other paths do not exist. */
function refusals(plan: ProxyPlan): string[] {
  return [...errorAnswers(plan), ...block("location /", ["return 404;"])];
}

/**
 * nginx's own errors, in the format that Matrix clients expect. Over a socket a timeout means that Synapse is slow, which 504 says;
 * through a link the other host may be off, and then all statuses mean the same to a client.
 */
function errorAnswers({ upstream: { kind } }: ProxyPlan): string[] {
  const answers = Object.entries(ERROR_ANSWERS);
  const told = (status: number) => (kind === "socket" ? "" : `=${status} `);
  return [
    ...answers.map(
      ([name, { statuses, status }]) => `error_page ${statuses.join(" ")} ${told(status)}@${name};`,
    ),
    ...answers.flatMap(([name, { status, body }]) =>
      block(`location @${name}`, [
        "default_type application/json;",
        ...OWN_HEADERS,
        `return ${status} ${quoted(body)};`,
      ]),
    ),
  ];
}

/** The server block for clients, and for servers that read the well-known document. */
function publicServer(plan: NginxPlan): string[] {
  return block("server", [
    ...listen(plan, 443),
    `server_name ${plan.publicHost};`,
    ...tls(plan),
    HSTS,
    ...refusals(plan),
    "",
    ...publicPaths(plan).flatMap((passed) => passOn(passed)),
    ...(plan.documents ? wellKnown(plan.documents) : []),
  ]);
}

/** User IDs contain the bare domain. Its server block serves only the well-known documents. */
function bareDomain(plan: NginxPlan, documents: WellKnownDocuments): string[] {
  return block("server", [
    ...listen(plan, 443),
    `server_name ${plan.serverName};`,
    ...tls(plan),
    HSTS,
    ...refusals(plan),
    "",
    ...wellKnown(documents),
  ]);
}

/** The server block for servers that connect to the default port of federation. */
function federationServer(plan: NginxPlan): string[] {
  return block("server", [
    ...listen(plan, 8448),
    `server_name ${federationNames(plan).join(" ")};`,
    ...tls(plan),
    HSTS,
    ...refusals(plan),
    "",
    ...federationPaths().flatMap((passed) => passOn(passed)),
  ]);
}

/**
 * Forwards one path to Synapse. nginx selects the location by the decoded path but forwards the raw path, so the raw path must
 * start with the same prefix: `/_synapse/admin/..%2f..%2f_matrix/` does not.
 */
function passOn({ path, maxBytes, upload }: Passed): string[] {
  const zone = upload ? "uploads" : "large";
  return block(`location ${path}`, [
    `if ($request_uri !~ "^${path}") { return 404; }`,
    `client_max_body_size ${maxBytes};`,
    ...(upload ? ["proxy_request_buffering off;"] : []),
    `limit_conn clients ${CONCURRENT.address};`,
    `limit_conn names ${CONCURRENT.total};`,
    `limit_conn ${zone} ${CONCURRENT[zone].address};`,
    `limit_conn all_${zone} ${CONCURRENT[zone].total};`,
    `include ${FOLDER}/${UPSTREAM_FILE};`,
  ]);
}

function wellKnown(documents: WellKnownDocuments): string[] {
  return [...document(WELL_KNOWN_SERVER, documents.server), ...document(WELL_KNOWN_CLIENT, documents.client)];
}

function document(path: string, body: string): string[] {
  return block(`location = ${path}`, [
    "default_type application/json;",
    ...OWN_HEADERS,
    `return 200 ${quoted(body)};`,
  ]);
}
