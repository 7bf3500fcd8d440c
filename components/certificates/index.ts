import * as pulumi from "@pulumi/pulumi";
import type { CertificatesConfig } from "../../config-schemas/certificates/schema";
import type { Inputs, Release, VerificationInputs } from "../../provider/sdk";
import type { Machine } from "../hosts";
import { acmeRelease } from "./acme";
import { RENEWAL } from "./acme-spec";
import { filesRelease } from "./files";

export interface CertificatesArgs {
  config: CertificatesConfig;
  machine: Machine;
  /** The public names, which the certificate must cover. */
  names: readonly string[];
  /** Those of them whose address Hearth itself keeps in DNS. */
  keptNames: readonly string[];
  /** Relative paths in the stack file start here. */
  projectDirectory: string;
  /** The authority reads DNS, so these records must exist first. */
  records: readonly pulumi.Resource[];
}

/** The TLS certificate of the public names: from the operator's files, or from an authority, by the host itself. Stateless. */
export class Certificates extends pulumi.ComponentResource {
  readonly release: Release;
  /** Changes whenever the proxy must read its files again; what the host renews, it makes the proxy read itself. */
  readonly revision: pulumi.Output<string>;
  /** A command on the host that says how the last renewal went; undefined: the operator renews. */
  readonly renewal: Inputs<VerificationInputs>["renewal"];

  constructor(name: string, args: CertificatesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:certificates:Certificates", name, {}, opts);
    const { config, machine, projectDirectory } = args;
    switch (config.source) {
      case "files":
        this.release = filesRelease(name, config, machine, projectDirectory, this);
        this.revision = this.release.digest;
        break;
      case "acme":
        ({ release: this.release, revision: this.revision } = acmeRelease(name, { ...args, config }, this));
        this.renewal = { connection: machine.connection, argv: RENEWAL };
        break;
    }
    this.registerOutputs({ digest: this.release.digest });
  }
}
