import type { Row } from "./row";

/** The smallest section with ACME; the keys for files are removed. */
const ACME = {
  ...{ source: "acme", certificateFile: undefined, privateKeyFile: undefined },
  acceptTerms: true,
};

export const CERTIFICATES: Row[] = [
  {
    rule: "certificate and key are two files",
    good: {},
    bad: { certificates: { privateKeyFile: "./fullchain.pem" } },
    says: [
      "hearth:certificates.privateKeyFile: is the same file as the certificate, so everybody could read the key | put the private key into a separate file",
    ],
  },
  {
    rule: "the authority's terms are accepted",
    good: { certificates: ACME },
    bad: { certificates: { ...ACME, acceptTerms: undefined } },
    says: [
      "hearth:certificates.acceptTerms: is not true, but the authority gives a certificate only to those who accept its terms | read them (Let's Encrypt's: https://letsencrypt.org/repository/), then write `acceptTerms: true`",
    ],
  },
  {
    rule: "the authority asks on port 80, where nginx answers",
    good: { certificates: ACME },
    bad: {
      hosts: { vps: { user: "alice", runtime: "quadlet" } },
      proxy: { kind: "caddy", listen: { address: "::", port: 8443 } },
      certificates: ACME,
    },
    says: [
      "hearth:certificates.source: is acme, which proves on port 80 that the names lead to this host, but hearth:proxy is caddy, which cannot listen there | write `source: files`, or `kind: nginx` and for the host `runtime: native`",
    ],
  },
  {
    rule: "certificates for tests pass no check",
    good: { certificates: { ...ACME, directory: "letsencrypt-staging" }, verification: { enabled: false } },
    bad: { certificates: { ...ACME, directory: "letsencrypt-staging" } },
    says: [
      "hearth:certificates.directory: is letsencrypt-staging, whose certificates nobody trusts, so every check from outside would fail | write `hearth:verification: { enabled: false }` while you try it, or put its root certificates into a file and name it in verification.caFile",
    ],
  },
];
