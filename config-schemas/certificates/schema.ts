import { z } from "zod";
import { DNS_NAME, hostName, localFile, PORT } from "../language/common";

/** URLs of the directories of Let's Encrypt; the second gives certificates for tests, with higher limits. */
export const DIRECTORIES = {
  letsencrypt: "https://acme-v02.api.letsencrypt.org/directory",
  "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
} as const;

/** Where the terms of Let's Encrypt are. */
export const TERMS = "https://letsencrypt.org/repository/";

const host = hostName.meta({
  description: "Host that receives the certificate: the proxy's host.",
  examples: ["vps"],
});

const filesSchema = z.strictObject({
  source: z
    .literal("files")
    .default("files")
    .meta({ description: "`files`: you provide certificate and key as files." }),
  host,
  certificateFile: localFile.meta({
    description:
      "Certificate with its chain, PEM, on your machine, relative to the project. Must cover every public name.",
    examples: ["./secrets/tls/fullchain.pem"],
  }),
  privateKeyFile: localFile.meta({
    description:
      "Its private key, PEM, unencrypted, on your machine, relative to the project. Never commit it.",
    examples: ["./secrets/tls/privkey.pem"],
  }),
});

const directory = z
  .string()
  .regex(
    new RegExp(
      `^(?:${Object.keys(DIRECTORIES).join("|")}|https://${DNS_NAME}(?:${PORT})?(?:/[A-Za-z0-9._~-]+)+)$`,
    ),
    "letsencrypt, letsencrypt-staging or the https URL of a directory, e.g. https://ca.example.org/acme/directory",
  )
  .meta({ title: "directory" });

const acmeSchema = z.strictObject({
  source: z.literal("acme").meta({
    description:
      "`acme`: the host gets the certificate from an authority and renews it, without you and without Pulumi. The authority must reach port 80 of every public name. With `kind: nginx`.",
  }),
  host,
  acceptTerms: z
    .boolean()
    .default(false)
    .meta({
      description: `\`true\`: you have read the authority's terms and accept them. Required. Let's Encrypt's: ${TERMS}`,
    }),
  directory: directory.default("letsencrypt").meta({
    description:
      "Authority. `letsencrypt-staging`: for tests, with higher limits; nobody trusts its certificates. Or the URL of another authority's ACME directory.",
    examples: ["letsencrypt-staging", "https://ca.example.org/acme/directory"],
  }),
  caFile: localFile.optional().meta({
    description:
      "Certificates of authorities that the directory's own certificate may come from, PEM, a file on your machine: for a private authority. It becomes public.",
    examples: ["./secrets/tls/ca.pem"],
  }),
  email: z
    .string()
    .regex(/^[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$/, "a mail address, e.g. admin@example.org")
    .optional()
    .meta({
      title: "mail address",
      description: "Contact for the authority. Let's Encrypt sends no mail about expiry. Absent: none.",
      examples: ["admin@example.org"],
    }),
  keyType: z
    .enum(["ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-4096"])
    .default("ecdsa-p256")
    .meta({ description: "Kind of the private key, which the host creates again for every certificate." }),
});

/** The TLS certificate of the public names; the keys other than `source` and `host` depend on the source. */
export const certificatesSchema = z.discriminatedUnion("source", [filesSchema, acmeSchema]);

export type CertificatesConfig = z.output<typeof certificatesSchema>;
export type CertificateFiles = Extract<CertificatesConfig, { source: "files" }>;
export type AcmeConfig = Extract<CertificatesConfig, { source: "acme" }>;
