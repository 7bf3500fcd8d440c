import type { ReleaseInputs } from "../../contract/release";
import { ProviderError } from "../../protocol/errors";
import type { Observation } from "./answer";
import type { Obstacle } from "./nouns/ports";

/** Code of the host's refusal when something that Hearth did not make is in the way. */
export const OCCUPIED = "occupied";

/** Refuses to take over, or to switch off, what serves on the host already. */
export function requireUnoccupied(inputs: ReleaseInputs, seen: Observation): void {
  // What a change under way, or one that was cut off, has put there is its own.
  if (seen.lock || seen.journal || seen.obstacles.length === 0) return;
  throw occupied(inputs, seen.obstacles);
}

/** All obstacles in one message, each with its fix. */
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
        fix === "-" ? [] : [`  fix: ${fix}`],
      ),
    ].join("\n"),
  );
}
