import { z } from "zod";
import { cidr, hostName, httpsUrl, nameOrAddress, port } from "../language/common";

/** The default server where hosts log in. */
export const TAILSCALE_CONTROL_URL = "https://controlplane.tailscale.com";

export const tailscaleFunnelSchema = z.strictObject({
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

/** WireGuard's own default; README of wireguard-tools. */
const WIREGUARD_PORT = 51_820;

const wireguardSchema = z.strictObject({
  kind: z.literal("wireguard").meta({
    description:
      "`wireguard`: a rented host with a public address (the edge) runs the proxy and passes requests on to the homeserver's host through WireGuard. The edge ends TLS, so it sees all requests. Each host generates its own key; only public keys leave a host. The edge reaches Synapse and nothing else at home.",
  }),
  host: hostName.meta({ description: "Host behind the tunnel: the homeserver's host.", examples: ["home"] }),
  edge: hostName.meta({ description: "Host with the public address: the proxy's host.", examples: ["edge"] }),
  endpoint: nameOrAddress.optional().meta({
    description:
      "Name or address at which the homeserver's host reaches the edge. Absent: `homeserver.publicHost`, whose DNS record leads to the edge.",
    examples: ["edge.example.org", "192.0.2.10"],
  }),
  port: port.default(WIREGUARD_PORT).meta({
    description: "UDP port of the edge; your provider's firewall must let it in.",
    examples: [51820],
  }),
  subnet: cidr.default("10.213.87.0/30").meta({
    description:
      "Private IPv4 network of the tunnel, with four addresses: the edge has the first usable one, the homeserver's host the second.",
    examples: ["10.213.87.0/30"],
  }),
  mtu: z
    .int()
    .min(1280)
    .max(1500)
    .default(1420)
    .meta({
      title: "MTU",
      description:
        "Largest packet in the tunnel, bytes. Less than 1420 where the connection itself carries less than 1500, e.g. 1412 over DSL with PPPoE.",
      examples: [1420, 1412],
    }),
});

/** The tunnel to a host without a public address; the keys other than `kind` and `host` depend on the kind. */
export const tunnelSchema = z.discriminatedUnion("kind", [tailscaleFunnelSchema, wireguardSchema]);

export type TunnelConfig = z.output<typeof tunnelSchema>;
export type FunnelConfig = z.output<typeof tailscaleFunnelSchema>;
export type WireguardConfig = z.output<typeof wireguardSchema>;
