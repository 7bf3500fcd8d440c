import { z } from "zod";
import { duration, hostName, port } from "../language/common";

const source = z
  .union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], {
    error: "an address or a range of addresses, e.g. 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32",
  })
  .meta({ title: "address or range", description: "An address, or a range of addresses." });

/** One port that the operator opens, in addition to those of the services. */
const openPort = z.strictObject({
  port: port.meta({ description: "The port.", examples: [51820] }),
  protocol: z.enum(["tcp", "udp"]).default("tcp").meta({ description: "Its protocol." }),
  from: z
    .array(source)
    .min(1)
    .optional()
    .meta({
      description: "Addresses that may reach it, IPv4 and IPv6. Absent: all.",
      examples: [["192.0.2.0/24", "2001:db8::/32"]],
    }),
});

/** The firewall of a host. */
export const firewallSchema = z.strictObject({
  host: hostName.meta({ description: "Host that it protects.", examples: ["vps"] }),
  enabled: z.boolean().default(true).meta({
    description: "`false`: Hearth sets no firewall, and removes its own.",
  }),
  open: z.array(openPort).default([]).meta({
    description:
      "Ports for other programs on the host. The ports of the stack's services and of sshd are open without an entry here.",
  }),
  confirm: duration.default("30s").meta({
    description:
      "After a change, Hearth logs in again; if that does not work within this time, the host returns to the rules from before. From 10s to 10m.",
  }),
});

export type FirewallConfig = z.output<typeof firewallSchema>;
