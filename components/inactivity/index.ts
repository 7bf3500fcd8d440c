import * as pulumi from "@pulumi/pulumi";
import { INACTIVITY_ACCOUNT } from "../../config-schemas/inactivity/schema";
import type { InactivityModel } from "../../config-schemas/model";
import type { Account, Release } from "../../provider/sdk";
import { serviceRelease } from "../../runtimes/release";
import type { Homeserver } from "../homeserver";
import { jobAccount, jobHostOf } from "../homeserver/jobs";
import type { Machine } from "../hosts";
import type { ServiceMember } from "../rooms";
import type { Sections } from "./job";
import { botMembers, inactivitySpec, SERVICE } from "./spec";

export interface InactivityArgs {
  config: InactivityModel;
  sections: Sections;
  machine: Machine;
  homeserver: Homeserver;
}

/**
 * The bot that finds members who were inactive for a long time: an ordinary account with only the power to remove members, and
 * a program that a timer runs. Stateless, except for its reports.
 */
export class Inactivity extends pulumi.ComponentResource {
  readonly release: Release;
  /** The bot's account: it must exist before it can join a room. */
  readonly account: Account;
  /** The rooms that the bot must join, and its power there. */
  readonly members: readonly ServiceMember[];

  constructor(name: string, args: InactivityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:inactivity:Inactivity", name, {}, opts);
    const { config, sections, machine, homeserver } = args;
    this.members = botMembers(config, sections);
    const person = { localpart: INACTIVITY_ACCOUNT, admin: false, displayName: "Inactivity bot" };
    this.account = jobAccount(machine, homeserver, person, this);
    const { parts } = machine.service(
      (_, host) => inactivitySpec(config, sections, host),
      jobHostOf(homeserver, config),
    );
    const dependsOn = [...machine.ready, homeserver.release, this.account];
    this.release = serviceRelease(name, SERVICE, machine, parts, { parent: this, dependsOn });
    this.registerOutputs({ digest: this.release.digest });
  }
}
