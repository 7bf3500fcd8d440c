import type { Row } from "./row";

const HOSTS = { vps: { user: "alice", runtime: "quadlet" } };
const PROXY = { kind: "caddy", listen: { address: "::", port: 8443 } };
const SECRETS = { dynu: { apiKey: "x" } };
const NAMES = { names: ["home.mywire.org"] };
/** A stack with dynamic DNS. */
const dynamic = (keys: object, more: object = {}) => ({
  hosts: HOSTS,
  proxy: PROXY,
  secrets: SECRETS,
  dns: { host: "vps", dynamic: { ...NAMES, ...keys }, ...more },
});

export const DNS: Row[] = [
  {
    rule: "DNS at Dynu needs the key of its API",
    good: { dns: { host: "vps" }, secrets: SECRETS },
    bad: { dns: { host: "vps" } },
    says: [
      "hearth:secrets.dynu.apiKey: is missing; hearth:dns needs it | run: npm run pulumi -- config set --secret --path 'hearth:secrets.dynu.apiKey'",
    ],
  },
  {
    rule: "a key of Dynu's API needs DNS",
    good: { dns: { host: "vps" }, secrets: SECRETS },
    bad: { secrets: SECRETS },
    says: [
      "hearth:secrets.dynu: is for hearth:dns, which is absent | run: npm run pulumi -- config rm --path 'hearth:secrets.dynu', or add hearth:dns",
    ],
  },
  {
    rule: "a hidden address is not published",
    good: dynamic({}),
    bad: {
      ...dynamic({}),
      proxy: { kind: "caddy", federationPort: false },
      homeserver: { serverName: "chat.tail1a2b.ts.net", publicHost: "chat.tail1a2b.ts.net" },
      certificates: undefined,
      tunnel: { host: "vps", kind: "tailscale-funnel" },
    },
    says: [
      "hearth:dns.dynamic: would publish the address of your home, which hearth:tunnel hides; nobody would use it, because connections come through the tunnel | remove it, or remove the tunnel (then your router must forward ports 443 and 8448 to the host)",
    ],
  },
  {
    rule: "dynamic DNS keeps an address",
    good: dynamic({ ipv4: false, ipv6: true }),
    bad: dynamic({ ipv4: false }),
    says: [
      "hearth:dns.dynamic: keeps neither the IPv4 nor the IPv6 address | write `ipv4: true` or `ipv6: true`, or remove it",
    ],
  },
  {
    rule: "dynamic DNS names each host once",
    good: dynamic({ names: ["a.mywire.org", "b.mywire.org"] }),
    bad: dynamic({ names: ["a.mywire.org", "b.mywire.org", "a.mywire.org"] }),
    says: ["hearth:dns.dynamic.names[2]: is already in the list | remove it"],
  },
  {
    rule: "the public address is not checked too often",
    good: dynamic({ interval: "5m" }),
    bad: dynamic({ interval: "299s" }),
    says: ["hearth:dns.dynamic.interval: is so short that Dynu treats it as abuse | write 5m or more"],
  },
  {
    rule: "a name's address has one source",
    good: dynamic({}, { records: { note: { type: "TXT", name: "home.mywire.org", text: "x" } } }),
    bad: dynamic({}, { records: { home: { type: "A", name: "home.mywire.org", address: "192.0.2.1" } } }),
    says: [
      "hearth:dns.records.home: is for a name in hearth:dns.dynamic.names, whose address follows the host's | remove it, or remove the name from that list",
    ],
  },
  {
    rule: "dynamic DNS runs in a container",
    good: dynamic({}),
    bad: { secrets: SECRETS, dns: { host: "vps", dynamic: NAMES } },
    says: [
      "hearth:dns.dynamic: needs a host with `runtime: quadlet`, where its client runs in a container | remove it and let your router or your provider update the address, or write `runtime: quadlet` for the host",
    ],
  },
];
