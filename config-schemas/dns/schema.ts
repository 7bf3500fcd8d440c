import { z } from "zod";
import { dnsName, duration, hostName, line, PORT, port } from "../language/common";

const DNS_LABELS = /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/;

/** Name of a record: like a host name, but with `_` for services. */
const recordName = z
  .string()
  .regex(
    DNS_LABELS,
    "a full DNS name in lower case (a to z, digits, - and _ between dots, no _ in the last part), e.g. _matrix-fed._tcp.example.org",
  )
  .meta({ title: "DNS name" });

/** Dynu's own API. */
export const DYNU_API = "https://api.dynu.com/v2";

/** URL of an API: https, because every request contains the key. */
const apiUrl = z
  .string()
  .regex(
    new RegExp(
      String.raw`^(?:https://[a-z0-9][a-z0-9.-]*|http://(?:127\.0\.0\.1|localhost))(?:${PORT})?(?:/[A-Za-z0-9._-]+)*$`,
    ),
    "an https URL without a slash at its end (plain http to 127.0.0.1 only), e.g. https://api.dynu.com/v2",
  )
  .meta({ title: "URL" });

const common = {
  name: recordName.meta({
    description: "Full name, in a domain of your account at Dynu.",
    examples: ["matrix.example.org"],
  }),
  ttl: duration.default("5m").meta({ description: "How long others may cache it." }),
};
const number = z.int().min(0).max(65_535);

const recordSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("A").meta({ description: "An IPv4 address." }),
    ...common,
    address: z.ipv4("an IPv4 address, e.g. 192.0.2.1").meta({ description: "IPv4 address." }),
  }),
  z.strictObject({
    type: z.literal("AAAA").meta({ description: "An IPv6 address." }),
    ...common,
    address: z.ipv6("an IPv6 address, e.g. 2001:db8::1").meta({ description: "IPv6 address." }),
  }),
  z.strictObject({
    type: z.literal("CNAME").meta({ description: "Another name for a host." }),
    ...common,
    target: dnsName.meta({ description: "Name of the host." }),
  }),
  z.strictObject({
    type: z.literal("TXT").meta({ description: "Text of any kind." }),
    ...common,
    text: line.max(255).meta({ description: "At most 255 characters." }),
  }),
  z.strictObject({
    type: z.literal("SRV").meta({ description: "Where a service is." }),
    ...common,
    priority: number.default(10).meta({ description: "Lower values are tried first." }),
    weight: number
      .default(5)
      .meta({ description: "Share of requests among records with the same priority." }),
    port: port.meta({ description: "Port of the service." }),
    target: dnsName.meta({ description: "Host of the service." }),
  }),
]);

/** DNS records that Hearth keeps at Dynu; the API key is the secret `dynu.apiKey`. */
export const dnsSchema = z.strictObject({
  host: hostName.meta({ description: "Host whose address Hearth keeps in DNS.", examples: ["home"] }),
  provider: z.enum(["dynu"]).default("dynu").meta({ description: "`dynu`: dynu.com." }),
  apiUrl: apiUrl.default(DYNU_API).meta({
    description:
      "URL of its API. Use another one only for tests; confirm it once on your machine: `npx hearth trust`.",
  }),
  dynamic: z
    .strictObject({
      names: z
        .array(dnsName.meta({ description: "A name at Dynu." }))
        .min(1)
        .meta({
          description: "Names that follow the host's public address.",
          examples: [["home.mywire.org"]],
        }),
      ipv4: z.boolean().default(true).meta({ description: "Keep the IPv4 address (A)." }),
      ipv6: z.boolean().default(false).meta({ description: "Keep the IPv6 address (AAAA)." }),
      interval: duration.default("10m").meta({ description: "How often the host checks its address." }),
    })
    .optional()
    .meta({
      description:
        "Dynamic DNS: names that follow the host's public address; a timer on the host checks the address.",
    }),
  records: z
    .record(
      z
        .string()
        .regex(
          /^[a-z][a-z0-9-]{0,30}$/,
          "a name for the record in this file: at most 31 lower-case letters, digits and -, starting with a letter, e.g. federation",
        ),
      recordSchema,
    )
    .default({})
    .meta({ description: "Records, each under a name of your choice. Hearth keeps them as they are here." }),
});

export type DnsConfig = z.output<typeof dnsSchema>;
export type DnsRecordConfig = z.output<typeof recordSchema>;
