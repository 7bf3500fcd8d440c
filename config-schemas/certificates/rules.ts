import { type AnyRule, at, rule } from "../language/rule";
import { TERMS } from "./schema";

/** Rules about the certificate. */
export const certificateRules: readonly AnyRule[] = [
  rule({
    name: "certificate and key are two files",
    needs: ["certificates"],
    when: ({ certificates }) =>
      at(
        certificates?.source === "files" && certificates.certificateFile === certificates.privateKeyFile,
        "certificates",
        "privateKeyFile",
      ),
    message: "is the same file as the certificate, so everybody could read the key",
    fix: "put the private key into a separate file",
  }),
  rule({
    name: "the authority's terms are accepted",
    needs: ["certificates"],
    when: ({ certificates }) =>
      at(certificates?.source === "acme" && !certificates.acceptTerms, "certificates", "acceptTerms"),
    message: "is not true, but the authority gives a certificate only to those who accept its terms",
    fix: `read them (Let's Encrypt's: ${TERMS}), then write \`acceptTerms: true\``,
  }),
  rule({
    name: "the authority asks on port 80, where nginx answers",
    needs: ["certificates", "proxy"],
    when: ({ certificates, proxy }) =>
      at(certificates?.source === "acme" && proxy.kind !== "nginx", "certificates", "source"),
    message: ({ proxy }) =>
      `is acme, which proves on port 80 that the names lead to this host, but hearth:proxy is ${proxy.kind}, which cannot listen there`,
    fix: "write `source: files`, or `kind: nginx` and for the host `runtime: native`",
  }),
  rule({
    name: "certificates for tests pass no check",
    needs: ["certificates", "verification"],
    when: ({ certificates, verification }) =>
      at(
        certificates?.source === "acme" &&
          certificates.directory === "letsencrypt-staging" &&
          verification.enabled &&
          verification.caFile === undefined,
        "certificates",
        "directory",
      ),
    message:
      "is letsencrypt-staging, whose certificates nobody trusts, so every check from outside would fail",
    fix: "write `hearth:verification: { enabled: false }` while you try it, or put its root certificates into a file and name it in verification.caFile",
  }),
];
