import type { DnsData, DnsRecordInputs } from "../contract/dns";
import { flag, integer, kinds, object, oneOf, text } from "../protocol/shape";
import { canonicalAddress } from "./api";

const LABELS = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/;

type Kind<K> = Extract<DnsData, { kind: K }>;
const target = text({ pattern: LABELS, write: "a host name in lower case" });
const number = integer(0, 65_535);

const data = kinds<DnsData>({
  A: object<Kind<"A">>({
    kind: oneOf("A"),
    address: text({ pattern: /^\d+(\.\d+){3}$/, write: "an IPv4 address" }),
  }),
  AAAA: object<Kind<"AAAA">>({
    kind: oneOf("AAAA"),
    address: text({ pattern: /^[0-9a-fA-F:.]+$/, write: "an IPv6 address", normalise: canonicalAddress }),
  }),
  CNAME: object<Kind<"CNAME">>({ kind: oneOf("CNAME"), target }),
  TXT: object<Kind<"TXT">>({ kind: oneOf("TXT"), text: text({ pattern: /^.{1,255}$/u, write: "a text" }) }),
  SRV: object<Kind<"SRV">>({
    kind: oneOf("SRV"),
    priority: number,
    weight: number,
    port: integer(1, 65_535),
    target,
  }),
});

/** A record as the program asks for it. */
export const dnsRecordShape = object<DnsRecordInputs>({
  apiUrl: text({
    // The key is not for the network to read.
    pattern: /^(https:\/\/[^/\s@]+|http:\/\/(127\.0\.0\.1|localhost)(:\d+)?)(\/[^\s?#]*[^\s?#/])?$/,
    write: "an https URL without a slash at its end (http to 127.0.0.1 only)",
  }),
  apiKey: text({ pattern: /^[\x21-\x7e]{1,512}$/, write: "the key of Dynu's API", sensitive: true }),
  name: text({ pattern: LABELS, write: "a full DNS name in lower case" }),
  ttl: integer(1, 2_147_483_647),
  enabled: flag,
  data,
});
