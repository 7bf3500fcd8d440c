import { isDeepStrictEqual } from "node:util";
import type { DnsData, DnsRecordInputs } from "../contract/dns";
import type { Found, Zone } from "./api";

/** Of these a name has one, or its visitors are shared out among several. */
const SINGLE: readonly DnsData["kind"][] = ["A", "AAAA", "CNAME"];

/** What a record is to become in a zone: a new one, one that is there already, or nothing for a reason. */
export type Plan = { way: "make" } | { way: "take over"; id: number } | { way: "refuse"; reason: string };

export function planFor(wanted: DnsRecordInputs, zone: Zone, records: readonly Found[]): Plan {
  const { data, name } = wanted;
  if (zone.node === "" && SINGLE.includes(data.kind)) {
    return {
      way: "refuse",
      reason: `${name} is a whole domain at Dynu, whose address is no record: use hearth:dns.dynamic, or set it at dynu.com`,
    };
  }
  const here = records.filter((record) => record.node === zone.node);
  const same = here.find((record) => record.data !== undefined && isDeepStrictEqual(record.data, data));
  if (same !== undefined) return { way: "take over", id: same.id };
  const other = here.find(({ data: found }) => found?.kind === data.kind && SINGLE.includes(data.kind));
  if (other?.data === undefined) return { way: "make" };
  return {
    way: "refuse",
    reason: `${name} has another ${data.kind} record at Dynu already (${shownData(other.data)}): remove it there, or write its value`,
  };
}

/** What was changed by hand, in words. */
export function driftOf(wanted: DnsRecordInputs, found: Found): string[] {
  const drift: string[] = [];
  if (found.enabled !== wanted.enabled)
    drift.push(found.enabled ? "switched on by hand" : "switched off by hand");
  if (found.ttl !== wanted.ttl) drift.push(`ttl changed by hand to ${found.ttl}`);
  if (found.data !== undefined && !isDeepStrictEqual(found.data, wanted.data)) {
    drift.push(`changed by hand to ${found.data.kind} ${shownData(found.data)}`);
  }
  return drift;
}

function shownData(data: DnsData): string {
  switch (data.kind) {
    case "A":
    case "AAAA":
      return data.address;
    case "CNAME":
      return data.target;
    case "TXT":
      return JSON.stringify(data.text);
    case "SRV":
      return `${data.priority} ${data.weight} ${data.port} ${data.target}`;
  }
}
