import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";

/**
 * Stand-in for Dynu's API, version 2, and its address service, for tests: Dynu itself cannot be reached from here.
 *
 * From its documentation, https://www.dynu.com/Support/API: base path, the header `API-Key`, JSON in requests and answers, POST for changes.
 * Seen in answers that other clients of the API recorded: paths and fields, `statusCode` in the body in addition to the HTTP status,
 * errors as `{statusCode, type, message}` (401 "Authentication Exception", 501 "Argument Exception: Invalid."), and the address
 * service's `Current IP Address: …`.
 * Assumed, always the harder case: the text of a 404, that an update of a domain resets fields that it does not name, and
 * which fields of a record are required.
 */
export interface DynuDomain {
  id: number;
  name: string;
  ipv4Address: string | null;
  ipv6Address: string | null;
  [field: string]: unknown;
}

export interface DynuRecord extends NewRecord {
  id: number;
}

/** A record in a request. */
export interface NewRecord {
  nodeName: string;
  recordType: string;
  ttl: number;
  state: boolean;
  [field: string]: unknown;
}

/** The content fields of each record type. */
const REQUIRED: Readonly<Record<string, string[]>> = {
  A: ["ipv4Address"],
  AAAA: ["ipv6Address"],
  CNAME: ["host"],
  TXT: ["textData"],
  SRV: ["priority", "weight", "port", "host"],
};

const UNNAMED_DOMAIN = {
  ...{ group: "", ipv4Address: null, ipv6Address: null, ttl: 120, ipv4: false, ipv6: false },
  ...{ ipv4WildcardAlias: false, ipv6WildcardAlias: false, allowZoneTransfer: false, dnssec: false },
};

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    message: string,
  ) {
    super(message);
  }
}

const invalid = (message = "Invalid.") => new Refusal(501, "Argument Exception", message);
const missing = () => new Refusal(404, "Not Found", "Not found.");

/** Dynu's port and a certificate for its names, PEM. */
export interface DynuIdentity {
  port: number;
  cert: string;
  key: string;
}

/** The names of Dynu's address services. */
const ADDRESS_SERVICES: Readonly<Record<string, "ipv4" | "ipv6">> = {
  "checkip.dynu.com": "ipv4",
  "checkipv6.dynu.com": "ipv6",
};

/** An account with domains and their records, served on loopback. */
export class DynuAccount {
  key = "dynu-stand-in-key";
  /** The answer of the address service. */
  address = "93.184.216.34";
  address6 = "2606:2800:220:1:248:1893:25c8:1946";
  /** The status of the address service's answer. */
  addressStatus = 200;
  readonly domains: DynuDomain[] = [];
  readonly records = new Map<number, DynuRecord[]>();
  /** The received requests, `METHOD path`. */
  readonly requests: string[] = [];
  /** Number of connections that close before an answer. */
  breaking = 0;
  private last = 9_000_000;

  private constructor(private readonly server: Server) {}

  /**
   * @param address of this machine; default: loopback
   * @param identity to serve Dynu's own names, over TLS; default: plain HTTP on any port
   */
  static async start(address = "127.0.0.1", identity?: DynuIdentity): Promise<DynuAccount> {
    const server = identity === undefined ? createServer() : createSecureServer(identity);
    const account = new DynuAccount(server);
    server.on("request", (request, response) => void account.serve(request, response));
    await new Promise<void>((resolve) => server.listen(identity?.port ?? 0, address, resolve));
    return account;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private get origin(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  get apiUrl(): string {
    return `${this.origin}/v2`;
  }

  addressUrl(kind: "ipv4" | "ipv6"): string {
    return `${this.origin}/checkip-${kind}`;
  }

  /** The changes so far: all requests except reads. */
  get changes(): string[] {
    return this.requests.filter((request) => !request.startsWith("GET "));
  }

  addDomain(name: string, fields: object = {}): DynuDomain {
    const domain = { ...UNNAMED_DOMAIN, ipv4: true, ...fields, id: ++this.last, name };
    this.domains.push(domain);
    this.records.set(domain.id, []);
    return domain;
  }

  /** A record that was created by hand, in Dynu's control panel. */
  addRecord(domain: number, fields: NewRecord): DynuRecord {
    const record = { ...fields, id: ++this.last };
    this.records.get(domain)?.push(record);
    return record;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request);
    const url = request.url ?? "/";
    const kind = ADDRESS_SERVICES[request.headers.host ?? ""] ?? /^\/checkip-(ipv[46])$/.exec(url)?.[1];
    if (kind !== undefined) {
      response.writeHead(this.addressStatus);
      response.end(`Current IP Address: ${kind === "ipv4" ? this.address : this.address6}`);
      return;
    }
    this.requests.push(`${request.method} ${url}`);
    if (this.breaking > 0) {
      this.breaking--;
      response.destroy();
      return;
    }
    const answer = this.answerTo(request, url, body);
    response.writeHead(answer.statusCode, { "Content-Type": "application/json; charset=utf-8" });
    response.end(JSON.stringify(answer));
  }

  private answerTo(request: IncomingMessage, url: string, body: string): { statusCode: number } {
    try {
      if (request.headers["api-key"] !== this.key) {
        throw new Refusal(401, "Authentication Exception", "Failed to authenticate.");
      }
      return { statusCode: 200, ...this.handle(request.method ?? "", url.replace(/^\/v2/, ""), body) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { statusCode: error.status, ...{ type: error.type, message: error.message } };
    }
  }

  private handle(method: string, path: string, body: string): object {
    const root = /^\/dns\/getroot\/([^/]+)$/.exec(path)?.[1];
    if (root !== undefined && method === "GET") return this.rootOf(decodeURIComponent(root));
    const [, id, inRecords, record] = /^\/dns\/(\d+)(\/record)?(?:\/(\d+))?$/.exec(path) ?? [];
    const domain = this.domains.find((one) => one.id === Number(id));
    if (path === "/dns" && method === "GET") return { domains: this.domains };
    if (domain === undefined) throw missing();
    if (inRecords === undefined) return this.handleDomain(method, domain, body);
    return this.handleRecords(method, domain, record === undefined ? undefined : Number(record), body);
  }

  private rootOf(hostname: string): object {
    const domain = this.domains.find(({ name }) => hostname === name || hostname.endsWith(`.${name}`));
    if (domain === undefined) throw invalid();
    const node = hostname.slice(0, -domain.name.length).replace(/\.$/, "");
    return { id: domain.id, domainName: domain.name, hostname, node };
  }

  private handleDomain(method: string, domain: DynuDomain, body: string): object {
    if (method === "GET") return domain;
    if (method !== "POST") throw invalid();
    const { id } = domain;
    Object.assign(domain, UNNAMED_DOMAIN, JSON.parse(body), { id });
    return {};
  }

  private handleRecords(method: string, domain: DynuDomain, id: number | undefined, body: string): object {
    const records = this.records.get(domain.id) ?? [];
    const named = (record: DynuRecord) => ({ ...record, domainId: domain.id, domainName: domain.name });
    const found = records.find((record) => record.id === id);
    if (id !== undefined && found === undefined) throw missing();
    if (method === "GET") return found ? named(found) : { dnsRecords: records.map(named) };
    if (method === "DELETE" && found) {
      records.splice(records.indexOf(found), 1);
      return {};
    }
    if (method !== "POST") throw invalid();
    const wanted = checkedRecord(body);
    if (found) return named(Object.assign(found, wanted));
    return named(this.addRecord(domain.id, wanted));
  }
}

function checkedRecord(body: string): NewRecord {
  const wanted: NewRecord = JSON.parse(body);
  const required = REQUIRED[wanted.recordType];
  if (required === undefined) throw invalid("Invalid record type.");
  for (const field of ["nodeName", "ttl", "state", ...required]) {
    if (wanted[field] === undefined) throw invalid(`Invalid ${field}.`);
  }
  return wanted;
}

async function readAll(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString();
}
