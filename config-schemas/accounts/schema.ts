import { z } from "zod";
import type { GivenSecret } from "../given-secrets";
import { line, localpart } from "../language/common";

/** Name of the admin account that Hearth creates for itself. */
export const OWN_ACCOUNT = "hearth";

/** A local account. */
const accountSchema = z.strictObject({
  admin: z
    .boolean()
    .default(false)
    .meta({ description: "Whether the account is a server admin and may use Synapse's admin API." }),
  displayName: line
    .optional()
    .meta({ description: "Name that others see. Absent: the user decides.", examples: ["Alice"] }),
  password: z.enum(["generated", "given"]).default("generated").meta({
    description:
      "`generated`: created on the host, in a file that only root (with `runtime: quadlet`: only the login user) can read; pulumi prints its path. `given`: the secret `accounts.<name>`.",
  }),
  deactivated: z
    .boolean()
    .default(false)
    .meta({ description: "Log the account out on all devices and close it." }),
});

/** The accounts that this stack manages. */
export const accountsSchema = z.record(localpart, accountSchema).meta({
  description:
    "Accounts by the local part of their user ID. Hearth does not change accounts that are not listed here.",
});

export type AccountConfig = z.output<typeof accountSchema>;

/** An account with its password, if the operator gives it. */
export type AccountModel = AccountConfig &
  ({ password: "generated" } | { password: "given"; secret: GivenSecret });

export type AccountsConfig = z.output<typeof accountsSchema>;
