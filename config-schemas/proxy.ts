import { z } from "zod";
import { duration, hostName } from "./common";

/** The reverse proxy: TLS and the only paths that the world may reach. */
export const proxySchema = z.strictObject({
  host: hostName.meta({ description: "Host that runs it.", examples: ["vps"] }),
  kind: z.enum(["nginx"]).default("nginx").meta({ description: "Which proxy." }),
  federationPort: z.boolean().default(true).meta({
    description:
      "Answer other servers on port 8448 as well as on 443, for servers that do not read well-known documents.",
  }),
  readTimeout: duration
    .default("10m")
    .meta({ description: "How long a request may wait for Synapse (long polls, slow joins)." }),
});

export type ProxyConfig = z.output<typeof proxySchema>;
