import { z } from "zod";
import { accountsSchema } from "./accounts";
import { certificatesSchema } from "./certificates";
import { delegationSchema } from "./delegation";
import { homeserverSchema } from "./homeserver";
import { hostsSchema } from "./hosts";
import { postgresSchema } from "./postgres";
import { proxySchema } from "./proxy";
import { secretsSchema } from "./secrets";
import { verificationSchema } from "./verification";

/** Namespace of our keys in a stack file: the project's name. */
export const NAMESPACE = "hearth";

/** Everything a stack file says, one key per component; `hearth:secrets` is apart because its values are secret. */
export const stackSchema = z.strictObject({
  hosts: hostsSchema,
  homeserver: homeserverSchema.meta({ description: "The Matrix homeserver: Synapse." }),
  postgres: postgresSchema.meta({ description: "The homeserver's database." }),
  proxy: proxySchema.meta({ description: "The reverse proxy in front of it." }),
  certificates: certificatesSchema.meta({ description: "The TLS certificate of the public names." }),
  delegation: delegationSchema
    .prefault({})
    .meta({ description: "The well-known documents by which the homeserver is found from the bare domain." }),
  accounts: accountsSchema.prefault({}),
  verification: verificationSchema
    .prefault({})
    .meta({ description: "Checks from outside, after every change." }),
  secrets: secretsSchema
    .prefault({})
    .meta({ description: "Secrets, set by `pulumi config set --secret --path 'hearth:secrets.<path>'`." }),
});

/** A whole stack file, secrets included. */
export type FullStack = z.output<typeof stackSchema>;

/** What components get: everything but the secrets. */
export type StackConfig = Omit<FullStack, "secrets">;

export type Section = keyof FullStack;
