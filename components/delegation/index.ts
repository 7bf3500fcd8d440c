import * as pulumi from "@pulumi/pulumi";
import type { DelegationConfig } from "../../config-schemas/delegation/schema";
import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { type WellKnownDocuments, wellKnownDocuments } from "./documents";

export interface DelegationArgs {
  config: DelegationConfig;
  homeserver: HomeserverConfig;
}

/**
 * Discovery: the two documents by which the homeserver is found from the server name. Stateless, makes nothing on a
 * host: the proxy serves the documents when they are served here, otherwise they are outputs of the stack.
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
