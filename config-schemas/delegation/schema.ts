import { z } from "zod";
import { httpsUrl } from "../language/common";

/** The two well-known documents, which lead clients and servers from the bare domain to the homeserver. */
export const delegationSchema = z.strictObject({
  serve: z.enum(["here", "elsewhere"]).default("here").meta({
    description:
      "`here`: this stack's proxy serves them for `serverName` and `publicHost`. `elsewhere`: your own web server serves them; Hearth prints and checks the documents.",
  }),
  identityServer: httpsUrl.optional().meta({
    description:
      "Identity server that the client document names; it learns your users' contacts. Absent: none.",
    examples: ["https://id.example.org"],
  }),
});

export type DelegationConfig = z.output<typeof delegationSchema>;
