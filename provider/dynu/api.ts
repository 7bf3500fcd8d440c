import { isIPv6 } from "node:net";
import type { DnsData, DnsRecordInputs } from "../contract/dns";
import { ProviderError } from "../protocol/errors";

/** Dynu's REST API, version 2 (https://www.dynu.com/Support/API). No message of these holds the key. */

const TIMEOUT_MS = 30_000;
/** Its connections break now and then; looking again is harmless. */
const LOOKS = 3;

type Access = Pick<DnsRecordInputs, "apiUrl" | "apiKey">;

/** Domain that a name is in, and the name below it; empty: the domain itself. */
export interface Zone {
  id: number;
  domain: string;
  node: string;
}

/** A record as Dynu has it. `data` undefined: of a type that Hearth does not manage. */
export interface Found {
  id: number;
  node: string;
  ttl: number;
  enabled: boolean;
  data: DnsData | undefined;
}

/** The key is not, or no longer, the account's. */
export class KeyRefused extends ProviderError {}

/** Dynu does not do what was asked. */
class Refused extends ProviderError {
  constructor(what: string, fix: string) {
    super("FAILED_PRECONDITION", `${what}\n  now: nothing was changed there\n  fix: ${fix}`);
  }
}

/** One address in one spelling; what is none stays as it is. */
export function canonicalAddress(text: string): string {
  return isIPv6(text) ? new URL(`http://[${text}]/`).hostname.slice(1, -1) : text;
}

/**
 * The zone of a name.
 * @throws ProviderError when it is in no domain of the account
 */
export async function zoneOf(access: Access, name: string, signal: AbortSignal): Promise<Zone> {
  const { id, domainName } = await rootOf(access, name, signal);
  const inside = typeof domainName === "string" && (name === domainName || name.endsWith(`.${domainName}`));
  if (typeof id !== "number" || !inside) throw foreign(name);
  return { id, domain: domainName, node: name.slice(0, -domainName.length).replace(/\.$/, "") };
}

async function rootOf(access: Access, name: string, signal: AbortSignal): Promise<Json> {
  try {
    return await ask(access, "GET", `/dns/getroot/${encodeURIComponent(name)}`, signal);
  } catch (error) {
    // Its answer to a name that is not the account's says no more than that it is invalid.
    throw error instanceof Refused ? foreign(name) : error;
  }
}

function foreign(name: string): ProviderError {
  return new Refused(
    `${name} is in no domain of this account at Dynu`,
    "add the domain at dynu.com (DDNS Services), or correct the name in hearth:dns.records",
  );
}

/** All records of a zone. */
export async function recordsOf(access: Access, zone: number, signal: AbortSignal): Promise<Found[]> {
  const { dnsRecords } = await ask(access, "GET", `/dns/${zone}/record`, signal);
  if (!Array.isArray(dnsRecords)) throw unreadable(access);
  return dnsRecords.filter(isRecord).map(toFound);
}

/** Makes a record, or changes the one with that ID; returns its ID. */
export async function writeRecord(
  access: Access,
  zone: Zone,
  wanted: DnsRecordInputs,
  id?: number,
): Promise<number> {
  const path = `/dns/${zone.id}/record${id === undefined ? "" : `/${id}`}`;
  // A change that has begun is finished.
  const written = await ask(access, "POST", path, new AbortController().signal, toBody(zone, wanted));
  if (id !== undefined) return id;
  if (typeof written.id !== "number") throw unreadable(access);
  return written.id;
}

export async function removeRecord(access: Access, zone: number, id: number): Promise<void> {
  await ask(access, "DELETE", `/dns/${zone}/record/${id}`, new AbortController().signal);
}

function toBody({ node }: Zone, { ttl, enabled, data }: DnsRecordInputs): object {
  return { nodeName: node, recordType: data.kind, ttl, state: enabled, group: "", ...fieldsOf(data) };
}

function fieldsOf(data: DnsData): object {
  switch (data.kind) {
    case "A":
      return { ipv4Address: data.address };
    case "AAAA":
      return { ipv6Address: data.address };
    case "CNAME":
      return { host: data.target };
    case "TXT":
      return { textData: data.text };
    case "SRV": {
      const { priority, weight, port, target } = data;
      return { priority, weight, port, host: target };
    }
  }
}

type Json = Record<string, unknown>;

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toFound(record: Json): Found {
  return {
    id: Number(record.id),
    node: String(record.nodeName ?? ""),
    ttl: Number(record.ttl),
    enabled: record.state !== false,
    data: toData(record),
  };
}

function toData(record: Json): DnsData | undefined {
  const text = (key: string) => String(record[key] ?? "");
  const target = text("host").replace(/\.$/, "").toLowerCase();
  switch (record.recordType) {
    case "A":
      return { kind: "A", address: text("ipv4Address") };
    case "AAAA":
      return { kind: "AAAA", address: canonicalAddress(text("ipv6Address")) };
    case "CNAME":
      return { kind: "CNAME", target };
    case "TXT":
      return { kind: "TXT", text: text("textData") };
    case "SRV": {
      const [priority, weight, port] = [record.priority, record.weight, record.port].map(Number);
      return { kind: "SRV", priority: priority ?? 0, weight: weight ?? 0, port: port ?? 0, target };
    }
    default:
      return undefined;
  }
}

async function ask(
  access: Access,
  method: string,
  path: string,
  signal: AbortSignal,
  body?: object,
): Promise<Json> {
  const answer = await send(access, method, path, signal, body);
  const text = await answer.text();
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    throw unreadable(access, answer.status);
  }
  if (!isRecord(said)) throw unreadable(access, answer.status);
  // Its status is in the body too, and the two have differed.
  const status =
    answer.status === 200 && typeof said.statusCode === "number" ? said.statusCode : answer.status;
  if (status === 200) return said;
  const words = `${status} ${String(said.type ?? "")}: ${String(said.message ?? "")}`.slice(0, 300);
  if (status === 401) {
    throw new KeyRefused(
      "FAILED_PRECONDITION",
      `Dynu refuses the API key (${words})\n  fix: run npm run pulumi -- config set --secret --path 'hearth:secrets.dynu.apiKey' with a key of dynu.com, Control Panel, API Credentials`,
    );
  }
  throw new Refused(
    `Dynu refuses ${method} ${path} (${words})`,
    "see what its control panel says of the domain; a record of hearth:dns.records may be one that it does not take",
  );
}

async function send(access: Access, method: string, path: string, signal: AbortSignal, body?: object) {
  const looks = method === "GET" ? LOOKS : 1;
  for (let look = 1; ; look++) {
    try {
      return await fetch(`${access.apiUrl}${path}`, {
        method,
        headers: { "API-Key": access.apiKey, Accept: "application/json", "Content-Type": "application/json" },
        // The key goes where it was meant to go, and nowhere else.
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      if (signal.aborted) throw new ProviderError("ABORTED", `stopped while asking ${access.apiUrl}`);
      if (look < looks) continue;
      throw unreachable(access, error);
    }
  }
}

function unreachable({ apiUrl }: Access, error: unknown): ProviderError {
  const cause = error instanceof Error ? (error.cause instanceof Error ? error.cause : error) : undefined;
  return new ProviderError(
    "UNAVAILABLE",
    `${apiUrl} does not answer: ${cause?.message ?? "unknown reason"}
  fix: try again later; HEARTH_OFFLINE=1 npm run pulumi -- preview plans without it`,
  );
}

function unreadable({ apiUrl }: Access, status?: number): ProviderError {
  const what = status === undefined ? "" : ` (status ${status})`;
  return new ProviderError(
    "UNAVAILABLE",
    `${apiUrl} does not answer as Dynu's API does${what}
  fix: try again later; see that hearth:dns.apiUrl is right`,
  );
}
