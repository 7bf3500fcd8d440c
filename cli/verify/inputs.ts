import * as path from "node:path";
import type { VerificationInputs } from "../../provider/contract/matrix";
import { completed, verificationShape } from "../../provider/matrix/verification/inputs";
import { parse } from "../../provider/protocol/shape";
import { isObject, type Properties, UNKNOWN, type Value } from "../../provider/protocol/values";
import { CliError } from "../errors";
import { pulumi, type StackChoice } from "../pulumi";

const TYPE = "hearth-host:index:Verification";
/** How the engine marks a secret in an exported state. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/**
 * The inputs of the stack's Verification resource: from the state, or, if its checks have never passed (then it is not in
 * the state), from a preview. Secrets are requested only if the connection has one (the password for sudo).
 */
export async function findInputs(choice: StackChoice): Promise<VerificationInputs> {
  const found = (await fromState(choice)) ?? (await fromPreview(choice));
  if (found === undefined) {
    throw new CliError(
      `the stack ${choice.stack ?? "selected"} has no verification\n  fix: set hearth:verification.enabled to true in its file`,
    );
  }
  return parse(verificationShape, completed(found), "the stack's verification");
}

async function fromState(choice: StackChoice): Promise<Properties | undefined> {
  const read = async (secrets: string[]) => {
    const state = JSON.parse(await pulumi(["stack", "export", ...secrets], choice));
    return verificationIn(state.deployment?.resources ?? []);
  };
  const inputs = await read([]);
  return inputs !== undefined && hasSecret(inputs) ? read(["--show-secrets"]) : inputs;
}

async function fromPreview(choice: StackChoice): Promise<Properties | undefined> {
  const file = choice.configFile === undefined ? [] : ["--config-file", path.resolve(choice.configFile)];
  const plan = JSON.parse(await pulumi(["preview", "--json", "--show-secrets", ...file], choice));
  const steps: { newState?: StateResource }[] = plan.steps ?? [];
  return verificationIn(steps.flatMap((step) => (step.newState === undefined ? [] : [step.newState])));
}

/** The part of a resource in `stack export` and `preview --json` that Hearth reads. */
export interface StateResource {
  type: string;
  inputs?: Properties;
  delete?: boolean;
}

/** The inputs of the Verification among a stack's resources, with secrets unwrapped if the engine revealed them. */
export function verificationIn(resources: StateResource[]): Properties | undefined {
  const resource = resources.find((one) => one.type === TYPE && one.delete !== true);
  if (resource?.inputs === undefined) return undefined;
  const inputs = Object.entries(resource.inputs).map(([key, value]): [string, Value] => [key, opened(value)]);
  const kept = inputs.filter(([key]) => !key.startsWith("__"));
  // Values that the checks do not need may still be unknown in a plan.
  return Object.fromEntries(kept.map(([key, value]) => [key, key === "revisions" ? {} : value]));
}

function opened(value: Value): Value {
  if (Array.isArray(value)) return value.map(opened);
  if (!isObject(value)) return value === UNKNOWN ? null : value;
  if (value[SIGNATURE] !== undefined && typeof value.plaintext === "string")
    return JSON.parse(value.plaintext);
  if (value[SIGNATURE] !== undefined) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, opened(item)]));
}

function hasSecret(value: Value): boolean {
  if (Array.isArray(value)) return value.some(hasSecret);
  return isObject(value) && (value[SIGNATURE] !== undefined || Object.values(value).some(hasSecret));
}
