import { z } from "zod";
import { hostName, httpsUrl } from "../language/common";

/** The default server where hosts log in. */
export const TAILSCALE_CONTROL_URL = "https://controlplane.tailscale.com";

const tailscaleFunnelSchema = z.strictObject({
  kind: z.literal("tailscale-funnel").meta({
    description:
      "`tailscale-funnel`: Tailscale's servers forward connections to the host, which ends TLS itself. They serve only the host's own name NODE.TAILNET.ts.net, which must be `homeserver.publicHost`. Switch off key expiry for the host in Tailscale's admin console, otherwise it leaves the tailnet after 180 days.",
  }),
  host: hostName.meta({ description: "Host of the tunnel: the proxy's host.", examples: ["home"] }),
  install: z.enum(["auto", "present", "repository"]).default("auto").meta({
    description:
      "Source of tailscaled. `present`: it is already installed. `repository`: the vendor's repository, whose key you put into `keys/tailscale-archive-keyring.gpg`. `auto`: the installed one, else the repository.",
  }),
  controlUrl: httpsUrl.default(TAILSCALE_CONTROL_URL).meta({
    description:
      "Server where the host logs in; change it if you run your own. If you also set an auth key, confirm the server once on your machine: `npx hearth trust`.",
    examples: ["https://headscale.example.org"],
  }),
  hostname: z
    .string()
    .regex(
      /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
      "a host's name in the tailnet: at most 63 lower-case letters, digits and -, no - at either end, e.g. chat",
    )
    .optional()
    .meta({
      title: "name in the tailnet",
      description:
        "Name that the host requests in the tailnet. Absent: the first part of `homeserver.publicHost`.",
      examples: ["chat"],
    }),
});

/** The tunnel to a host without a public address; the keys other than `kind` and `host` depend on the kind. */
export const tunnelSchema = z.discriminatedUnion("kind", [tailscaleFunnelSchema]);

export type TunnelConfig = z.output<typeof tunnelSchema>;
