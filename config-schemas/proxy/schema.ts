import { z } from "zod";
import { duration, hostName, imageName, ipAddress, port, size } from "../language/common";

/** Defaults for Caddy; nginx has none of these keys. */
export const CADDY_DEFAULTS = {
  image: "docker.io/library/caddy:2.10.2",
  memory: "128M",
  listen: { address: "127.0.0.1", port: 8080 },
} as const;

/** The reverse proxy: serves only the public paths, and ends TLS unless a tunnel does. */
export const proxySchema = z.strictObject({
  host: hostName.meta({ description: "Host that runs it.", examples: ["vps"] }),
  kind: z.enum(["nginx", "caddy"]).default("nginx").meta({
    description:
      "Program of the proxy. `nginx`: on ports 80, 443 and 8448, with `runtime: native`. `caddy`: on a port of your choice, with `runtime: quadlet`.",
  }),
  federationPort: z.boolean().default(true).meta({
    description: "Also answer other servers on port 8448, for servers that do not read well-known documents.",
  }),
  readTimeout: duration
    .default("10m")
    .meta({ description: "How long a request may wait for Synapse (long polling, slow joins)." }),
  image: imageName.default(CADDY_DEFAULTS.image).meta({
    description:
      "Caddy only: its container image. With a digest after the tag (`…@sha256:…`) the image stays the same when the tag moves.",
  }),
  memory: size
    .default(CADDY_DEFAULTS.memory)
    .meta({ description: "Caddy only: its memory limit.", examples: ["128M"] }),
  listen: z
    .strictObject({
      address: ipAddress.default(CADDY_DEFAULTS.listen.address).meta({
        description: "Address of the host; `::` means all addresses, IPv6 and IPv4.",
        examples: ["127.0.0.1", "::"],
      }),
      port: port.default(CADDY_DEFAULTS.listen.port).meta({
        description: "Port; an ordinary user may use ports from 1024.",
        examples: [8080, 8443],
      }),
    })
    .prefault({})
    .meta({
      description:
        "Caddy only: where it listens. Behind a tunnel: loopback. Without a tunnel: the port to which your router forwards port 443.",
    }),
});

export type ProxyConfig = z.output<typeof proxySchema>;

type CaddyKeys = "image" | "memory" | "listen";
type Common = Omit<ProxyConfig, "kind" | CaddyKeys>;
/** Caddy, with the keys that only it has. */
export type CaddyModel = Common & { kind: "caddy" } & Pick<ProxyConfig, CaddyKeys>;
/** A proxy with the keys of its kind. */
export type ProxyModel = (Common & { kind: "nginx" }) | CaddyModel;
