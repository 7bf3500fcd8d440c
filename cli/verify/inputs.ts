import type { VerificationInputs } from "../../provider/contract/matrix";
import { completed, verificationShape } from "../../provider/matrix/verification/inputs";
import { parse } from "../../provider/protocol/shape";
import type { Properties } from "../../provider/protocol/values";
import { CliError } from "../errors";
import type { StackChoice } from "../pulumi";
import { deployedResources, hasSecret, inputsOf, plannedResources, type StateResource } from "../resources";

const TYPE = "hearth-host:index:Verification";

/**
 * The inputs of the stack's Verification resource: from the state, or, if its checks have never passed (then it is not in
 * the state), from a preview. Secrets are requested only if the connection has one (the password for sudo).
 */
export async function findInputs(choice: StackChoice): Promise<VerificationInputs> {
  const found = (await fromState(choice)) ?? verificationIn(await plannedResources(choice));
  if (found === undefined) {
    throw new CliError(
      `the stack ${choice.stack ?? "selected"} has no verification\n  fix: set hearth:verification.enabled to true in its file`,
    );
  }
  return parse(verificationShape, completed(found), "the stack's verification");
}

async function fromState(choice: StackChoice): Promise<Properties | undefined> {
  const inputs = verificationIn(await deployedResources(choice, { secrets: false }));
  return inputs !== undefined && hasSecret(inputs)
    ? verificationIn(await deployedResources(choice, { secrets: true }))
    : inputs;
}

/** The inputs of the Verification among a stack's resources, with secrets unwrapped if the engine revealed them. */
export function verificationIn(resources: StateResource[]): Properties | undefined {
  const inputs = inputsOf(resources.find((one) => one.type === TYPE && one.delete !== true));
  // Values that the checks do not need may still be unknown in a plan.
  return inputs === undefined || inputs.revisions === undefined ? inputs : { ...inputs, revisions: {} };
}
