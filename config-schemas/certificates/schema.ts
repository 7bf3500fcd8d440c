import { z } from "zod";
import { hostName, localFile } from "../language/common";

/** The TLS certificate of the public names. */
export const certificatesSchema = z.strictObject({
  host: hostName.meta({
    description: "Host that receives the certificate: the proxy's host.",
    examples: ["vps"],
  }),
  source: z
    .enum(["files"])
    .default("files")
    .meta({ description: "`files`: you provide certificate and key as files." }),
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

export type CertificatesConfig = z.output<typeof certificatesSchema>;
