import { type Finding, fail, pass } from "./finding";
import { type Answer, ask, isRecord, jsonObject, type Question, type Resolve, values } from "./network";

const REDIRECTS = 5;

/** Where other servers send federation requests. */
export interface Endpoint {
  host: string;
  port: number;
}

/** One of the two discovery documents, with redirects followed as clients and servers do. */
export async function fetchWellKnown(
  serverName: string,
  which: "server" | "client",
  resolve: Resolve,
): Promise<Answer> {
  let question: Question = { host: serverName, port: 443, path: `/.well-known/matrix/${which}` };
  for (let hops = 0; ; hops++) {
    const answer = await ask(resolve, { ...question, headers: { origin: "https://client.invalid" } });
    const location = values(answer, "location")[0];
    if (answer.status < 300 || answer.status > 399 || location === undefined) return answer;
    if (hops === REDIRECTS) throw new Error(`more than ${REDIRECTS} redirects`);
    const next = new URL(location, `https://${question.host}:${question.port}${question.path}`);
    if (next.protocol !== "https:") throw new Error(`a redirect to ${next.protocol}//`);
    question = { host: next.hostname, port: Number(next.port || 443), path: next.pathname + next.search };
  }
}

/** What the documents should say, and how to repair one that does not. */
export interface Expected {
  serverName: string;
  publicHost: string;
  federationPort: boolean;
  delegation: "here" | "elsewhere";
}

export function judgeServer(expected: Expected, answer: Answer): Finding {
  const { publicHost } = expected;
  const fix = repair(expected, "server", JSON.stringify({ "m.server": `${publicHost}:443` }));
  const fault = documentFault(answer);
  if (fault !== undefined) return fail(fault, fix);
  const target = jsonObject(answer)?.["m.server"];
  const endpoint = typeof target === "string" ? delegated(target) : undefined;
  if (endpoint === undefined) return fail(`m.server is ${JSON.stringify(target)}, not host:port`, fix);
  const ports = expected.federationPort ? [443, 8448] : [443];
  if (endpoint.host !== publicHost || !ports.includes(endpoint.port)) {
    return fail(`m.server is ${target}, but this homeserver answers on ${publicHost}:443`, fix);
  }
  return pass(`m.server ${target}`);
}

export function judgeClient(expected: Expected, answer: Answer): Finding {
  const base = `https://${expected.publicHost}`;
  const fix = repair(expected, "client", JSON.stringify({ "m.homeserver": { base_url: base } }));
  const fault = documentFault(answer) ?? corsFault(answer);
  if (fault !== undefined) return fail(fault, fix);
  const homeserver = jsonObject(answer)?.["m.homeserver"];
  const url = isRecord(homeserver) ? homeserver.base_url : undefined;
  if (url !== base && url !== `${base}/`) {
    return fail(`base_url is ${JSON.stringify(url)}, but clients reach this homeserver at ${base}`, fix);
  }
  return pass(`base_url ${url}`);
}

/** Browsers take exactly one header with `*`; a second one, from a proxy that adds what Synapse sends already, breaks them. */
export function corsFault(answer: Answer): string | undefined {
  const origins = values(answer, "access-control-allow-origin");
  if (origins.length === 0) return "no Access-Control-Allow-Origin header, so browsers refuse the document";
  if (origins.length > 1)
    return `${origins.length} Access-Control-Allow-Origin headers, so browsers refuse the document`;
  return origins[0] === "*" ? undefined : `Access-Control-Allow-Origin is ${origins[0]}, not *`;
}

function documentFault(answer: Answer): string | undefined {
  if (answer.status !== 200) return `status ${answer.status} instead of 200`;
  const type = values(answer, "content-type").join(", ");
  if (!/^application\/json\s*(;|$)/i.test(type))
    return `content type ${type || "missing"} instead of application/json`;
  return jsonObject(answer) === undefined ? "the body is not a JSON object" : undefined;
}

function repair(expected: Expected, which: string, document: string): string {
  const url = `https://${expected.serverName}/.well-known/matrix/${which}`;
  return expected.delegation === "elsewhere"
    ? `serve ${document} at ${url} with status 200, Content-Type: application/json and Access-Control-Allow-Origin: *`
    : `${expected.serverName} has to reach this stack's proxy, which serves ${document} there; look at what answers on ${url}`;
}

/** The endpoint of an `m.server` value; without a port (and without SRV records) it is 8448. */
export function delegated(value: string): Endpoint | undefined {
  const match = /^([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::(\d{1,5}))?$/.exec(value);
  return match === null ? undefined : { host: match[1]!, port: Number(match[2] ?? 8448) };
}
