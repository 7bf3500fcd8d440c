import type { VerificationInputs } from "../../contract/matrix";
import { accessRequest } from "../access";
import { askPython } from "../python";
import type { Observations } from "./host";

/** A slow disk may take a while over the upload at the limit, seconds. */
const TIMEOUT = 90;

/** Asks the host what only it can see; see provider/matrix/programs/verify.py. */
export function observeHost(inputs: VerificationInputs, signal: AbortSignal): Promise<Observations> {
  const request = {
    ...accessRequest(inputs),
    publicHost: inputs.publicHost,
    proxyUrl: inputs.proxyUrl,
    maxUploadBytes: inputs.maxUploadBytes,
    database: { name: inputs.database.name, role: inputs.database.role, console: inputs.database.console },
    mediaPath: inputs.mediaPath,
    ...(inputs.backup === undefined ? {} : { backup: inputs.backup.state }),
    logFile: inputs.logFile,
  };
  return askPython<Observations>(inputs, "verify.py", request, {
    signal,
    timeoutSeconds: TIMEOUT,
    // What it uploads it removes again.
    stays: true,
  });
}
