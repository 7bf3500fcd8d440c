import * as pulumi from "@pulumi/pulumi";
import type { DelegationConfig } from "../../config-schemas/delegation/schema";
import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { type WellKnownDocuments, wellKnownDocuments } from "./documents";

export interface DelegationArgs {
  config: DelegationConfig;
  homeserver: HomeserverConfig;
}

/**
 * Discovery: the two documents that lead from the server name to the homeserver. Stateless, and changes no host: either this
 * stack's proxy serves the documents, or they are outputs of the stack.
 */
export class Delegation extends pulumi.ComponentResource {
  readonly documents: WellKnownDocuments;
  readonly servedHere: boolean;

  constructor(name: string, args: DelegationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:delegation:Delegation", name, {}, opts);
    this.documents = wellKnownDocuments(args.homeserver, args.config);
    this.servedHere = args.config.serve === "here";
    this.registerOutputs({ documents: this.documents });
  }
}
