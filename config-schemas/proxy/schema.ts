import { z } from "zod";
import { duration, hostName, imageName, ipAddress, port, size } from "../language/common";

/** What Caddy has unless the stack says otherwise; nginx has nothing of it. */
export const CADDY_DEFAULTS = {
  image: "docker.io/library/caddy:2.10.2",
  memory: "128M",
  listen: { address: "127.0.0.1", port: 8080 },
} as const;

/** The reverse proxy: the only paths that the world may reach, and TLS where no tunnel ends it. */
export const proxySchema = z.strictObject({
  host: hostName.meta({ description: "Host that runs it.", examples: ["vps"] }),
  kind: z.enum(["nginx", "caddy"]).default("nginx").meta({
    description:
      "Which proxy. `nginx`: on ports 80, 443 and 8448, with `runtime: native`. `caddy`: on a port of your choice, with `runtime: quadlet`.",
  }),
  federationPort: z.boolean().default(true).meta({
    description:
      "Answer other servers on port 8448 as well as on 443, for servers that do not read well-known documents.",
  }),
  readTimeout: duration
    .default("10m")
    .meta({ description: "How long a request may wait for Synapse (long polls, slow joins)." }),
  image: imageName.default(CADDY_DEFAULTS.image).meta({
    description:
      "Caddy only: its container image. With its digest after the tag (`…@sha256:…`) it stays the same when the tag is moved.",
  }),
  memory: size
    .default(CADDY_DEFAULTS.memory)
    .meta({ description: "Caddy only: most memory that it may take.", examples: ["128M"] }),
  listen: z
    .strictObject({
      address: ipAddress.default(CADDY_DEFAULTS.listen.address).meta({
        description: "Address of the machine; `::` is all addresses, IPv6 and IPv4.",
        examples: ["127.0.0.1", "::"],
      }),
      port: port.default(CADDY_DEFAULTS.listen.port).meta({
        description: "Port; an ordinary user may take those from 1024 on.",
        examples: [8080, 8443],
      }),
    })
    .prefault({})
    .meta({
      description:
        "Caddy only: where it listens. Loopback behind a tunnel; without one, where your router sends port 443.",
    }),
});

export type ProxyConfig = z.output<typeof proxySchema>;
