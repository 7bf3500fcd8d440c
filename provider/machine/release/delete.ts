import { ProviderError } from "../../protocol/errors";
import type { Call, State } from "../../protocol/resource";
import { ConnectionLost } from "../../transport/failures";
import { brokenAnswer, hostSession } from "../../transport/session";
import { parseAnswer } from "./answer";
import { refused } from "./observe";
import { parseOutputs } from "./outputs";
import { parseInputs } from "./read";
import { metaFile } from "./request";
import { notes } from "./verdict";

/** Stopping a big service may take its full TimeoutStopSec, for each unit. */
const DELETE_SECONDS = 15 * 60;

/** Stops and removes what the release owns, never data. Does nothing when the host holds another instance. */
export function deleteRelease(call: Call, state: State): Promise<void> {
  const inputs = parseInputs(state.inputs);
  const { connection, release } = inputs;
  const session = hostSession(connection);
  return session.exclusive(async () => {
    if (call.signal.aborted) throw new ProviderError("ABORTED", "cancelled before anything was removed");
    const meta = { urn: call.urn, instance: parseOutputs(state.outputs).instance };
    const once = () =>
      session.run({
        interpreter: "sh",
        program: "machine/programs/delete.sh",
        asRoot: inputs.scope === "system",
        files: [metaFile(inputs, meta)],
        // Half a removal helps nobody: it goes on to its end.
        signal: new AbortController().signal,
        timeoutSeconds: call.timeoutSeconds || DELETE_SECONDS,
        stays: true,
      });
    await call.log.step(`removing release ${release} from ${connection.name}, data stays`);
    const answer = await once().catch((error: unknown) => {
      // It may be run again after a cut.
      if (error instanceof ConnectionLost) return once();
      throw error;
    });
    const log = parseAnswer(answer.stdout);
    if (log.refusal) throw refused(inputs, log.refusal);
    if (log.end !== "ok") throw brokenAnswer(connection, "delete.sh", answer);
    for (const note of notes(log)) await call.log.info(`${release} on ${connection.name}: ${note}`);
  });
}
