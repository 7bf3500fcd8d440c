import type { ReleaseInputs } from "../contract/release";
import { ProviderError } from "../protocol/errors";
import type { Call, State } from "../protocol/resource";
import { hasUnknown, type Properties } from "../protocol/values";
import type { Observation, Obstacle } from "./answer";
import { observe } from "./observe";
import { parseOutputs } from "./outputs";
import { parseInputs } from "./read";

/** Code of the host's refusal when something that Hearth did not make is in the way. */
export const OCCUPIED = "occupied";

/** Refuses to take over, or to switch off, what serves on the host already. */
export function requireUnoccupied(inputs: ReleaseInputs, seen: Observation): void {
  // What a change under way, or one that was cut off, has put there is its own.
  if (seen.lock || seen.journal || seen.obstacles.length === 0) return;
  throw occupied(inputs, seen.obstacles);
}

/** The same for an update in a preview. */
export async function lookForObstacles(call: Call, state: State, news: Properties): Promise<void> {
  if (call.offline || hasUnknown(news)) return;
  const wanted = parseInputs(news);
  requireUnoccupied(wanted, await observe(call, wanted, parseOutputs(state.outputs).instance, {}));
}

/** All obstacles in one message, each with its way out. */
export function occupied(
  { release, connection }: Pick<ReleaseInputs, "release" | "connection">,
  obstacles: readonly Obstacle[],
): ProviderError {
  return new ProviderError(
    "FAILED_PRECONDITION",
    [
      `release ${JSON.stringify(release)} on ${connection.name} was refused (${OCCUPIED}): what Hearth did not make is in the way`,
      ...obstacles.map(({ text }) => `  - ${text}`),
      `  now: nothing was changed on ${connection.name}`,
      ...[...new Set(obstacles.map(({ fix }) => fix))].flatMap((fix) =>
        fix === "-" ? [] : [`  do: ${fix}`],
      ),
    ].join("\n"),
  );
}
