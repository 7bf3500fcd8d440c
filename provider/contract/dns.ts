/** A record in a domain of an account at Dynu, kept through its REST API from this machine; no host is involved. */
export interface DnsRecordInputs {
  /** Without a slash at its end, e.g. `https://api.dynu.com/v2`. */
  apiUrl: string;
  /** A secret: asked for at every look, so it stays in the state, encrypted. */
  apiKey: string;
  /** Full name in lower case, e.g. `_matrix-fed._tcp.example.org`. */
  name: string;
  /** Seconds. */
  ttl: number;
  /** Whether it is answered; somebody may switch it off at Dynu. */
  enabled: boolean;
  data: DnsData;
}

/** What a record says; its kind is its type in DNS. */
export type DnsData =
  | { kind: "A"; address: string }
  | { kind: "AAAA"; address: string }
  | { kind: "CNAME"; target: string }
  | { kind: "TXT"; text: string }
  | { kind: "SRV"; priority: number; weight: number; port: number; target: string };
