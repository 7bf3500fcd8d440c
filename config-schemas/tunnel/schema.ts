import { z } from "zod";
import { hostName, httpsUrl } from "../language/common";

/** Where machines log in unless the stack says otherwise. */
export const TAILSCALE_CONTROL_URL = "https://controlplane.tailscale.com";

const tailscaleFunnelSchema = z.strictObject({
  kind: z.literal("tailscale-funnel").meta({
    description:
      "`tailscale-funnel`: Tailscale's servers pass connections on to the machine, which ends TLS itself. They serve the machine's own name NODE.TAILNET.ts.net only, and that is `homeserver.publicHost`. Switch off key expiry for the machine in Tailscale's admin console, or it drops out of the tailnet after 180 days.",
  }),
  host: hostName.meta({ description: "Host that it leads to: the proxy's.", examples: ["home"] }),
  install: z.enum(["auto", "present", "repository"]).default("auto").meta({
    description:
      "Where tailscaled comes from. `present`: it is there already. `repository`: the vendor's, whose key you put into `keys/tailscale-archive-keyring.gpg`. `auto`: what is there, else the repository.",
  }),
  controlUrl: httpsUrl.default(TAILSCALE_CONTROL_URL).meta({
    description:
      "Server where the machine logs in; another one if you run your own. With an auth key, another one has to be confirmed once on your machine: `npx hearth trust`.",
    examples: ["https://headscale.example.org"],
  }),
  hostname: z
    .string()
    .regex(
      /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
      "a machine's name: at most 63 lower-case letters, digits and -, no - at either end, e.g. chat",
    )
    .optional()
    .meta({
      title: "name of a machine",
      description:
        "Name that the machine asks for in the tailnet. Absent: the first part of `homeserver.publicHost`.",
      examples: ["chat"],
    }),
});

/** The way in for a machine without a public address; what there is beside `kind` and `host` differs from kind to kind. */
export const tunnelSchema = z.discriminatedUnion("kind", [tailscaleFunnelSchema]);

export type TunnelConfig = z.output<typeof tunnelSchema>;
