import { summary } from "./api";
import { type Finding, fail, pass } from "./finding";
import { type Answer, jsonObject, values } from "./network";

/** Ways to ask for the admin API, plain and as a proxy's path rules might be got around. All answer without a token or 401. */
export const ADMIN_PATHS = [
  "/_synapse/admin/v1/server_version",
  "/_synapse/admin/v2/users",
  "/_synapse/admin/v1/register",
  "//_synapse/admin/v1/server_version",
  "/_matrix/../_synapse/admin/v1/server_version",
  "/_matrix/..%2f_synapse/admin/v1/server_version",
  "/%5fsynapse/admin/v1/server_version",
  // Decoded and shortened this is below /_matrix/, which a proxy may use while it passes on the path as it came.
  "/_synapse/admin/v1/rooms/..%2f..%2f..%2f..%2f_matrix%2fx",
];

export const METRICS_PATHS = ["/_synapse/metrics", "/metrics"];

/** One request and what came back; `answer` undefined: nothing did. */
export interface Probe {
  where: string;
  answer: Answer | undefined;
}

/** Errors of Synapse that a request only gets once it is inside. */
const INSIDE = ["M_MISSING_TOKEN", "M_UNKNOWN_TOKEN", "M_FORBIDDEN", "M_UNAUTHORIZED"];

export function judgeAdmin(probes: Probe[]): Finding {
  const open = probes.filter(({ answer }) => answer !== undefined && answersAsAdmin(answer));
  if (open.length === 0) return pass(`closed in ${probes.length} tries`);
  return fail(
    `the admin API answers: ${listed(open)}`,
    "let the proxy pass only /_matrix/ and /_synapse/client/; reach the admin API on the host's loopback",
  );
}

function answersAsAdmin(answer: Answer): boolean {
  const body = jsonObject(answer);
  if (body === undefined) return false;
  return answer.status === 200 || INSIDE.includes(String(body.errcode));
}

export function judgeMetrics(probes: Probe[]): Finding {
  const open = probes.filter(({ answer }) => answer?.status === 200 && /^# (HELP|TYPE) /m.test(answer.body));
  if (open.length === 0) return pass(`closed in ${probes.length} tries`);
  return fail(
    `metrics are public: ${listed(open)}`,
    "do not let the proxy pass metrics; listen for them on loopback only",
  );
}

/** `/` and a Matrix path over plain HTTP: closed, or sent on to HTTPS. */
export function judgePlain(answer: Answer | undefined): Finding {
  if (answer === undefined) return pass("port 80 is closed");
  const location = values(answer, "location")[0] ?? "";
  if ([301, 302, 307, 308].includes(answer.status) && location.startsWith("https://")) {
    return pass(`${answer.status} to https`);
  }
  if (jsonObject(answer) === undefined && answer.status >= 400)
    return pass(`no Matrix there (${answer.status})`);
  return fail(
    `port 80 answers ${summary(answer)} instead of a redirect to https`,
    "let the proxy redirect everything on port 80 to https",
  );
}

export interface Knock {
  port: number;
  what: string;
  state: "open" | "refused" | "silent";
}

export function judgePorts(host: string, knocks: Knock[]): Finding {
  const open = knocks.filter((knock) => knock.state === "open");
  if (open.length === 0)
    return pass(`closed: ${knocks.map((knock) => `${knock.port} (${knock.what})`).join(", ")}`);
  return fail(
    `${host} answers on ${open.map((knock) => `${knock.port} (${knock.what})`).join(", ")}`,
    "bind these to 127.0.0.1 or a private address, or close them in the firewall",
  );
}

function listed(open: Probe[]): string {
  return open
    .map(({ where, answer }) => `${where} (${answer === undefined ? "" : answer.status})`)
    .join(", ");
}
