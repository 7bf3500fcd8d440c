import * as http from "node:http";
import * as https from "node:https";
import type { LookupFunction } from "node:net";
import * as net from "node:net";

/** Milliseconds until a connection or an answer is given up: the first one through a tunnel may need a second handshake. */
export const TIMEOUT = 15_000;
/** Longest body that is read, bytes; what we ask for is far shorter. */
const BODY_LIMIT = 256 * 1024;

/** Names with given addresses, for names that are not in DNS; everything else is looked up as usual. */
export type Resolve = Record<string, string>;

export interface Answer {
  status: number;
  /** As sent, in order, repeated headers kept apart; names in lower case. */
  headers: [name: string, value: string][];
  body: string;
}

export interface Question {
  host: string;
  port: number;
  /** Sent as it is, not normalized. */
  path: string;
  method?: "GET" | "POST" | "OPTIONS";
  headers?: Record<string, string | number>;
  /** Plain HTTP instead of HTTPS. */
  plain?: boolean;
  /** Do not send the body that the headers announce: wait for the server's word on the headers alone. */
  headersOnly?: boolean;
}

/**
 * Asks a server as anybody on the internet can. The certificate is not judged here (a check of its own does that), so one
 * bad certificate does not hide every other result. Rejects with a short reason when there is no answer.
 */
export function ask(resolve: Resolve, question: Question, signal?: AbortSignal): Promise<Answer> {
  const { host, port, path, method = "GET", headers = {}, plain = false } = question;
  return new Promise((settle, reject) => {
    const request = (plain ? http : https).request({
      host,
      port,
      path,
      method,
      headers: { "user-agent": "hearth-verify", ...headers },
      servername: net.isIP(host) ? undefined : host,
      lookup: lookup(resolve),
      rejectUnauthorized: false,
      agent: false,
      timeout: TIMEOUT,
      signal,
    });
    const deadline = setTimeout(() => request.destroy(new Error("no answer")), TIMEOUT);
    const finish = (act: () => void) => {
      clearTimeout(deadline);
      request.destroy();
      act();
    };
    request.on("timeout", () => request.destroy(new Error("no answer")));
    request.on("error", (error: NodeJS.ErrnoException) => finish(() => reject(new Error(reason(error)))));
    request.on("continue", () => finish(() => settle({ status: 100, headers: [], body: "" })));
    request.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
        if (body.length > BODY_LIMIT) response.destroy(new Error("the answer is too long"));
      });
      response.on("error", (error) => finish(() => reject(new Error(reason(error)))));
      response.on("end", () => {
        finish(() => settle({ status: response.statusCode ?? 0, headers: pairs(response.rawHeaders), body }));
      });
    });
    if (question.headersOnly) request.flushHeaders();
    else request.end();
  });
}

/** Whether something accepts TCP connections there: `open`, `refused` or `silent` (filtered). */
export function knock(
  resolve: Resolve,
  host: string,
  port: number,
  timeout = 2000,
): Promise<"open" | "refused" | "silent"> {
  return new Promise((settle) => {
    const socket = net.connect({ host, port, lookup: lookup(resolve), timeout });
    const finish = (found: "open" | "refused" | "silent") => {
      socket.destroy();
      settle(found);
    };
    socket.on("connect", () => finish("open"));
    socket.on("timeout", () => finish("silent"));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      finish(error.code === "ECONNREFUSED" ? "refused" : "silent"),
    );
  });
}

/** The `lookup` of a connection that takes given addresses first. Undefined: node's own. */
export function lookup(resolve: Resolve): LookupFunction | undefined {
  if (Object.keys(resolve).length === 0) return undefined;
  return (name, options, done) => {
    const address = resolve[name];
    if (address === undefined) {
      import("node:dns").then((dns) => dns.lookup(name, options, done));
    } else if (options.all) {
      done(null, [{ address, family: net.isIP(address) }]);
    } else {
      done(null, address, net.isIP(address));
    }
  };
}

/** All values of a header. */
export function values(answer: Answer, name: string): string[] {
  return answer.headers.filter(([key]) => key === name).map(([, value]) => value);
}

/** The body as a JSON object; undefined when it is none. */
export function jsonObject(answer: Answer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(answer.body);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection closed without an answer",
  ENOTFOUND: "the name has no address",
  EAI_AGAIN: "the name could not be looked up",
  ETIMEDOUT: "no answer",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  ABORT_ERR: "stopped",
};

/** What went wrong with a connection, in words. Node lists every address it tried in one error. */
export function reason(error: NodeJS.ErrnoException & { errors?: NodeJS.ErrnoException[] }): string {
  const first = error.errors?.[0];
  if (first !== undefined) return reason(first);
  return REASONS[error.code ?? ""] ?? error.message;
}

function pairs(raw: string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    found.push([raw[index]!.toLowerCase(), raw[index + 1]!]);
  }
  return found;
}
