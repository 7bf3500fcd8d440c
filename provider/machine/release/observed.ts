import type { ReleaseInputs } from "../../contract/release";
import type { Observation } from "./answer";
import { NOUNS } from "./nouns";

/**
 * The inputs as the host has them now: what differs from `inputs` differs on the host. What is gone on the host is missing.
 * Settings that are not on the host (validators, probes, triggers, the connection) are taken over.
 */
export function observedInputs(inputs: ReleaseInputs, seen: Observation): ReleaseInputs {
  const observed = NOUNS.flatMap((noun) =>
    noun.observed === undefined ? [] : [[noun.name, noun.observed(inputs, seen)] as const],
  );
  return { ...inputs, ...Object.fromEntries(observed) };
}
