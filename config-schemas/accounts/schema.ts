import { z } from "zod";
import { line, localpart } from "../language/common";

/** Name of the admin account that Hearth makes for itself. */
export const OWN_ACCOUNT = "hearth";

/** A local account. */
const accountSchema = z.strictObject({
  admin: z.boolean().default(false).meta({ description: "Server admin: may use Synapse's admin API." }),
  displayName: line
    .optional()
    .meta({ description: "Name shown to others. Absent: left to the user.", examples: ["Alice"] }),
  password: z.enum(["generated", "given"]).default("generated").meta({
    description:
      "`generated`: made on the host, in a file that only root (with `runtime: quadlet`: only the login user) reads; pulumi says which. `given`: the secret `accounts.<name>`.",
  }),
  deactivated: z
    .boolean()
    .default(false)
    .meta({ description: "Log the account out everywhere and close it." }),
});

/** The accounts that this stack keeps. */
export const accountsSchema = z.record(localpart, accountSchema).meta({
  description: "Accounts by the local part of their user ID. Accounts not listed here are left alone.",
});

export type AccountConfig = z.output<typeof accountSchema>;
export type AccountsConfig = z.output<typeof accountsSchema>;
