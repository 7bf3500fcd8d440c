import { GivenSecret } from "../given-secrets";
import { parseDuration } from "../language/common";
import type { Path } from "../language/fault";
import { type AnyRule, at, broken, proof, proved, removeSecret, rule, setSecret } from "../language/rule";

/** A provider treats a shorter interval as abuse. */
const SHORTEST_INTERVAL = "5m";

/** DNS with the key of its API; undefined: Hearth keeps no DNS records. */
export const dnsWithKey = proof({
  name: "DNS at Dynu needs the key of its API",
  needs: ["dns", "secrets"],
  prove: ({ dns, secrets }) => {
    if (dns === undefined) return proved(undefined);
    return secrets.dynu === undefined
      ? broken(["secrets", "dynu", "apiKey"])
      : proved({ ...dns, apiKey: new GivenSecret(secrets.dynu.apiKey) });
  },
  message: "is missing; hearth:dns needs it",
  fix: setSecret("dynu", "apiKey"),
});

/** Dynamic DNS, on a host with containers. */
export const clientInContainer = proof({
  name: "dynamic DNS runs in a container",
  needs: ["dns", "hosts"],
  prove: ({ dns, hosts }) =>
    dns?.dynamic !== undefined && hosts[dns.host]?.runtime === "native"
      ? broken(["dns", "dynamic"])
      : proved(dns?.dynamic),
  message: "needs a host with `runtime: quadlet`, where its client runs in a container",
  fix: "remove it and let your router or your provider update the address, or write `runtime: quadlet` for the host",
});

/** Rules about the DNS records that Hearth keeps. */
export const dnsRules: readonly AnyRule[] = [
  dnsWithKey,
  rule({
    name: "a key of Dynu's API needs DNS",
    needs: ["dns", "secrets"],
    when: ({ dns, secrets }) => at(dns === undefined && secrets.dynu !== undefined, "secrets", "dynu"),
    message: "is for hearth:dns, which is absent",
    fix: `${removeSecret("dynu")}, or add hearth:dns`,
  }),
  rule({
    name: "a hidden address is not published",
    needs: ["dns", "tunnel"],
    when: ({ dns, tunnel }) => at(dns?.dynamic !== undefined && tunnel !== undefined, "dns", "dynamic"),
    message:
      "would publish the address of your home, which hearth:tunnel hides; nobody would use it, because connections come through the tunnel",
    fix: "remove it, or remove the tunnel (then your router must forward ports 443 and 8448 to the host)",
  }),
  rule({
    name: "dynamic DNS keeps an address",
    needs: ["dns"],
    when: ({ dns }) => at(dns?.dynamic?.ipv4 === false && !dns.dynamic.ipv6, "dns", "dynamic"),
    message: "keeps neither the IPv4 nor the IPv6 address",
    fix: "write `ipv4: true` or `ipv6: true`, or remove it",
  }),
  rule({
    name: "dynamic DNS names each host once",
    needs: ["dns"],
    when: ({ dns }) => {
      const names = dns?.dynamic?.names ?? [];
      return names.flatMap((name, index): Path[] =>
        names.indexOf(name) === index ? [] : [["dns", "dynamic", "names", index]],
      );
    },
    message: "is already in the list",
    fix: "remove it",
  }),
  rule({
    name: "the public address is not checked too often",
    needs: ["dns"],
    when: ({ dns }) =>
      at(
        dns?.dynamic !== undefined && parseDuration(dns.dynamic.interval) < parseDuration(SHORTEST_INTERVAL),
        "dns",
        "dynamic",
        "interval",
      ),
    message: "is so short that Dynu treats it as abuse",
    fix: `write ${SHORTEST_INTERVAL} or more`,
  }),
  rule({
    name: "a name's address has one source",
    needs: ["dns"],
    when: ({ dns }) =>
      Object.entries(dns?.records ?? {})
        .filter(
          ([, { type, name }]) =>
            ["A", "AAAA", "CNAME"].includes(type) && dns?.dynamic?.names.includes(name) === true,
        )
        .map(([key]): Path => ["dns", "records", key]),
    message: "is for a name in hearth:dns.dynamic.names, whose address follows the host's",
    fix: "remove it, or remove the name from that list",
  }),
  clientInContainer,
];
