import { z } from "zod";
import { accountsSchema } from "./accounts/schema";
import { backupSchema } from "./backup/schema";
import { certificatesSchema } from "./certificates/schema";
import { delegationSchema } from "./delegation/schema";
import { dnsSchema } from "./dns/schema";
import { firewallSchema } from "./firewall/schema";
import { homeserverSchema } from "./homeserver/schema";
import { hostsSchema } from "./hosts/schema";
import { inactivitySchema } from "./inactivity/schema";
import { maintenanceSchema } from "./maintenance/schema";
import { postgresSchema } from "./postgres/schema";
import { type ProxyModel, proxySchema } from "./proxy/schema";
import { roomsSchema } from "./rooms/schema";
import { secretsSchema } from "./secrets";
import { tunnelSchema } from "./tunnel/schema";
import { verificationSchema } from "./verification/schema";

/** Namespace of Hearth's keys in a stack file: the project's name. */
export const NAMESPACE = "hearth";

/** The whole stack file, one key per component; `hearth:secrets` is separate because its values are secret. */
export const stackSchema = z.strictObject({
  hosts: hostsSchema,
  homeserver: homeserverSchema.meta({ description: "The Matrix homeserver: Synapse." }),
  postgres: postgresSchema.meta({ description: "The homeserver's database." }),
  proxy: proxySchema.meta({ description: "The reverse proxy in front of the homeserver." }),
  certificates: certificatesSchema.optional().meta({
    description:
      "The TLS certificate of the public names. Absent behind a tunnel that has its own certificate.",
  }),
  tunnel: tunnelSchema.optional().meta({
    description:
      "The tunnel to a host without a public address. Absent: clients connect to ports of the host.",
  }),
  dns: dnsSchema.optional().meta({ description: "DNS records that Hearth keeps. Absent: you create them." }),
  firewall: firewallSchema.optional().meta({
    description:
      "The firewall of the host, IPv4 and IPv6: open are sshd, the public ports of the services and what is named here. Absent: Hearth sets none.",
  }),
  delegation: delegationSchema
    .prefault({})
    .meta({ description: "The well-known documents, which lead from the bare domain to the homeserver." }),
  accounts: accountsSchema.prefault({}),
  rooms: roomsSchema.prefault({}),
  maintenance: maintenanceSchema
    .optional()
    .meta({ description: "Purging after downtime, and a monthly cleaning. Absent: neither." }),
  inactivity: inactivitySchema
    .optional()
    .meta({ description: "The bot that finds inactive members. Absent: no bot." }),
  backup: backupSchema.optional().meta({
    description: "Backups, and drills that restore them. Absent: none; every preview warns about it.",
  }),
  verification: verificationSchema
    .prefault({})
    .meta({ description: "Checks from outside, after every change." }),
  secrets: secretsSchema.prefault({}).meta({
    description: "Secrets, set by `npm run pulumi -- config set --secret --path 'hearth:secrets.<path>'`.",
  }),
});

/** A whole stack file, secrets included. */
export type FullStack = z.output<typeof stackSchema>;

/** The configuration: everything but the secrets, and of the proxy only the keys of its kind. */
export interface StackConfig extends Omit<FullStack, "secrets" | "proxy"> {
  proxy: ProxyModel;
}

export type Section = keyof FullStack;
