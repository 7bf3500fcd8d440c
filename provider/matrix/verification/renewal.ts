import type { VerificationInputs } from "../../contract/matrix";
import { askPython } from "../python";
import { type Finding, fail, firstLine, notChecked, pass } from "./finding";

/** What provider/matrix/programs/renewal.py saw. `fault`: why the last renewal failed; `error`: why that is not known. */
export interface RenewalSeen {
  fault?: string;
  error?: string;
}

const TIMEOUT = 60;

/** Asks the host that renews the certificate how its last try went. */
export async function checkRenewal(
  { connection, argv }: NonNullable<VerificationInputs["renewal"]>,
  signal: AbortSignal = new AbortController().signal,
): Promise<Finding> {
  const limits = { timeoutSeconds: TIMEOUT, signal };
  const host = { connection, scope: "system" } as const;
  return askPython<RenewalSeen>(host, "renewal.py", { argv }, limits).then(judgeRenewal, (error: unknown) =>
    notChecked(firstLine(error), `make ${connection.name} reachable, then run again`),
  );
}

/** The old certificate is in use, and the next try may be good; but somebody must look. */
export function judgeRenewal({ fault, error }: RenewalSeen): Finding {
  if (error !== undefined) return notChecked(error, "run pulumi up");
  if (fault !== undefined)
    return fail(fault, "correct the cause; the host tries again by itself, twice a day");
  return pass("the host's last try did not fail");
}
