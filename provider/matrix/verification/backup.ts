import type { VerificationInputs } from "../../contract/matrix";
import { ago } from "../../text";
import { type Finding, fail, notChecked, pass } from "./finding";
import type { JobSeen, Observations } from "./host";

const DAY = 86_400;
/** A weekly drill that was missed once is late, not lost. */
const DRILL_SECONDS = 15 * DAY;

/** The last backup must be young enough; before the first one, the time since backups were set up counts. */
export function judgeBackup(
  { maxAgeSeconds }: NonNullable<VerificationInputs["backup"]>,
  seen: Observations,
  now: number,
): Finding {
  return judge(seen, "backup", "backed up", maxAgeSeconds, now, "npx hearth backup shows what is wrong");
}

/** So must the last drill. One that failed is a fault at once: the newest backup cannot be restored. */
export function judgeDrill(seen: Observations, now: number): Finding {
  const failed = seen.backup?.drill?.failed;
  const limit = failed === undefined ? DRILL_SECONDS : 0;
  return judge(
    seen,
    "drill",
    "restored in a drill",
    limit,
    now,
    "npx hearth backup --drill shows what is wrong",
  );
}

function judge(
  { backup: seen }: Observations,
  name: "backup" | "drill",
  done: string,
  limit: number,
  now: number,
  fix: string,
): Finding {
  const job = seen?.[name];
  if (seen === undefined || job === undefined)
    return notChecked(seen?.error ?? "the host gave no answer", "see that the host can be reached");
  const seconds = now / 1000;
  const age = seconds - (job.succeeded ?? seen.since ?? seconds);
  const text = `${sentence(done, job, seconds)}`;
  return age > limit ? fail(text, fix) : pass(text);
}

function sentence(done: string, { succeeded, failed, reason }: JobSeen, now: number): string {
  const last = succeeded === null ? `never ${done} yet` : `last ${done} ${ago(now - succeeded)}`;
  return failed === undefined ? last : `${last}; failed ${ago(now - failed)}: ${reason ?? ""}`;
}
