import * as path from "node:path";
import { isObject, type Properties, UNKNOWN, type Value } from "../provider/protocol/values";
import { pulumi, type StackChoice } from "./pulumi";

/** How the engine marks a secret in an exported state. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** The part of a resource in `stack export` and `preview --json` that Hearth reads. */
export interface StateResource {
  type: string;
  inputs?: Properties;
  delete?: boolean;
}

/** The resources of the stack's last deployment. */
export async function deployedResources(
  choice: StackChoice,
  { secrets }: { secrets: boolean },
): Promise<StateResource[]> {
  const state = JSON.parse(await pulumi(["stack", "export", ...(secrets ? ["--show-secrets"] : [])], choice));
  return state.deployment?.resources ?? [];
}

/** The resources that an update would leave, from a preview; secrets are in clear text. */
export async function plannedResources(choice: StackChoice): Promise<StateResource[]> {
  const plan = JSON.parse(
    await pulumi(["preview", "--json", "--show-secrets", ...configFile(choice)], choice),
  );
  const steps: { newState?: StateResource }[] = plan.steps ?? [];
  return steps.flatMap((step) => (step.newState === undefined ? [] : [step.newState]));
}

/** The options that name the stack's configuration file. */
export function configFile(choice: StackChoice): string[] {
  return choice.configFile === undefined ? [] : ["--config-file", path.resolve(choice.configFile)];
}

/** A resource's own inputs, with secrets unwrapped if the engine revealed them. */
export function inputsOf(resource: StateResource | undefined): Properties | undefined {
  if (resource?.inputs === undefined) return undefined;
  const entries = Object.entries(resource.inputs).filter(([key]) => !key.startsWith("__"));
  return Object.fromEntries(entries.map(([key, value]) => [key, opened(value)]));
}

function opened(value: Value): Value {
  if (Array.isArray(value)) return value.map(opened);
  if (!isObject(value)) return value === UNKNOWN ? null : value;
  if (value[SIGNATURE] !== undefined && typeof value.plaintext === "string")
    return JSON.parse(value.plaintext);
  if (value[SIGNATURE] !== undefined) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, opened(item)]));
}

/** Whether a value contains a secret that the engine did not reveal. */
export function hasSecret(value: Value): boolean {
  if (Array.isArray(value)) return value.some(hasSecret);
  return isObject(value) && (value[SIGNATURE] !== undefined || Object.values(value).some(hasSecret));
}
