import * as pulumi from "@pulumi/pulumi";
import type { AccountModel } from "../../config-schemas/accounts/schema";
import { secretOutput } from "../../config-schemas/secret-output";
import { Account, type AccountInputs, type Inputs } from "../../provider/sdk";
import type { Homeserver } from "../homeserver";
import { formerNames } from "../homeserver/names";
import type { Machine } from "../hosts";

export interface AccountsArgs {
  config: Readonly<Record<string, AccountModel>>;
  machine: Machine;
  homeserver: Homeserver;
}

/**
 * The local accounts that this stack manages. Stateful on the homeserver: an account that is removed from the stack file stays
 * there unchanged.
 */
export class Accounts extends pulumi.ComponentResource {
  /** User IDs by local part. */
  readonly userIds: Record<string, pulumi.Output<string>> = {};

  constructor(name: string, args: AccountsArgs, opts?: pulumi.ComponentResourceOptions) {
    const { machine, homeserver } = args;
    super("hearth:accounts:Accounts", name, {}, { aliases: formerNames(machine, name), ...opts });
    for (const [localpart, config] of Object.entries(args.config)) {
      const resource = `account-${localpart}`;
      const account = new Account(resource, accountArgs(localpart, config, args), {
        parent: this,
        dependsOn: homeserver.release,
        aliases: formerNames(machine, resource),
      });
      this.userIds[localpart] = account.userId;
    }
    this.registerOutputs({ userIds: this.userIds });
  }
}

function accountArgs(localpart: string, config: AccountModel, args: AccountsArgs): Inputs<AccountInputs> {
  return {
    ...args.homeserver.access,
    localpart,
    admin: config.admin,
    ...(config.displayName === undefined ? {} : { displayName: config.displayName }),
    deactivated: config.deactivated,
    password: passwordOf(config),
  };
}

function passwordOf(config: AccountModel): Inputs<AccountInputs>["password"] {
  if (config.password === "generated") return { kind: "generated" };
  return { kind: "given", value: secretOutput(config.secret) };
}
