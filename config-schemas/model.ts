import { servingHost } from "./hosts/rules";
import type { HostConfig } from "./hosts/schema";
import type { FullStack, StackConfig } from "./stack";

/** A host with its name in the stack file. */
export interface NamedHost {
  name: string;
  config: HostConfig;
}

/** A stack that follows all rules: what they proved is in its types, so that components check none of it again. */
export interface StackModel extends StackConfig {
  /** The host of all services. */
  serving: NamedHost;
}

/** The rules that prove what the model adds to the sections. */
export const PROOFS = { servingHost };

/** The model of a stack; undefined if the stack breaks a rule. */
export function modelOf(stack: FullStack): StackModel | undefined {
  const serving = PROOFS.servingHost.prove(stack);
  if (!serving.ok) return undefined;
  const { secrets: _, ...config } = stack;
  return { ...config, serving: serving.value };
}
