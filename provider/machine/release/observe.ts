import type { ReleaseInputs } from "../../contract/release";
import { ProviderError } from "../../protocol/errors";
import type { Call } from "../../protocol/resource";
import { brokenAnswer, hostSession } from "../../transport/session";
import { type Observation, parseAnswer, parseObservation } from "./answer";
import { observeFiles } from "./request";
import { lookTogether } from "./together";

/** Looks at a release on its host: nothing is changed there. */
export async function observe(
  call: Call,
  inputs: ReleaseInputs,
  instance: string | undefined,
  fingerprints: Record<string, string>,
): Promise<Observation> {
  const { connection } = inputs;
  const files = observeFiles(inputs, { urn: call.urn, instance }, fingerprints);
  const asRoot = inputs.scope === "system";
  const answer = await lookTogether(hostSession(connection), asRoot, files, call.signal);
  const { rows, end, refusal } = parseAnswer(answer.stdout);
  if (refusal) throw refused(inputs, refusal);
  if (end === undefined || answer.status !== 0) throw brokenAnswer(connection, "observe.sh", answer);
  return parseObservation(rows);
}

/** The host says no, and has not been touched. */
export function refused(
  inputs: ReleaseInputs,
  { code, text }: { code: string; text: string },
): ProviderError {
  const { release, connection } = inputs;
  return new ProviderError(
    "FAILED_PRECONDITION",
    `release ${JSON.stringify(release)} on ${connection.name} was refused (${code}): ${text}\n  now: nothing was changed on ${connection.name}`,
  );
}
