import * as pulumi from "@pulumi/pulumi";
import type { GivenSecret } from "./given-secrets";

/** A secret as an input of resources. Each is a separate output, so that nothing else becomes secret with it. */
export function secretOutput(secret: GivenSecret): pulumi.Output<string> {
  return pulumi.secret(secret.reveal());
}
