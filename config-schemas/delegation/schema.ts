import { z } from "zod";
import { httpsUrl } from "../language/common";

/** The two well-known documents by which clients and servers find the homeserver from the bare domain. */
export const delegationSchema = z.strictObject({
  serve: z.enum(["here", "elsewhere"]).default("here").meta({
    description:
      "`here`: this stack's proxy serves them for `serverName` and `publicHost`. `elsewhere`: your own web server does; the documents are printed and checked.",
  }),
  identityServer: httpsUrl.optional().meta({
    description: "Identity server that clients are told about; it learns your users' contacts. Absent: none.",
    examples: ["https://id.example.org"],
  }),
});

export type DelegationConfig = z.output<typeof delegationSchema>;
