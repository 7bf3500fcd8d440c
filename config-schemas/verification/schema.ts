import { z } from "zod";
import { dnsName, httpsUrl, ipAddress, localFile, remoteServerName, size } from "../language/common";

/** Checks from outside, after every change. */
export const verificationSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .meta({ description: "Run checks from outside after every change; a failed check fails the update." }),
  partner: z
    .strictObject({
      serverName: remoteServerName.meta({
        description: "Its server name.",
        examples: ["partner.example.net"],
      }),
      url: httpsUrl.meta({ description: "Its base URL.", examples: ["https://matrix.partner.example.net"] }),
    })
    .optional()
    .meta({
      description:
        "A homeserver that looks up this server with a signed federation request. Absent: not checked.",
    }),
  resolve: z
    .record(dnsName, ipAddress.meta({ description: "Its address.", examples: ["192.0.2.10"] }))
    .default({})
    .meta({
      description: "Addresses of names that are not in DNS, for tests. Empty: DNS is used and checked.",
    }),
  caFile: localFile.optional().meta({
    description: "Certificate authorities to trust in addition to the system's, PEM, a file on your machine.",
    examples: ["./secrets/tls/ca.pem"],
  }),
  mediaLimit: size.optional().meta({
    description: "Maximum disk use of media; above it the check fails. Absent: no limit.",
    examples: ["20G"],
  }),
});
