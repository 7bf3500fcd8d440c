import type { BackupConfig } from "../../config-schemas/backup/schema";
import { parseDuration } from "../../config-schemas/language/common";
import { ago } from "../../provider/text";

const DAY = 86_400;
/** A weekly drill that was missed once is late, not lost. */
const DRILL_DAYS = 15;

/** One line for each preview and update. */
export interface Line {
  /** Whether something is wrong. */
  warn: boolean;
  text: string;
}

interface Job {
  /** Seconds since 1970. */
  succeeded: number | null;
  failed?: number;
  reason?: string;
}

/** What `state.py` prints. */
interface State {
  /** When backups were set up on the host. */
  since: number | null;
  backup: Job;
  drill: Job;
}

/**
 * What previews say about the backups of a host.
 * @param fact what `state.py` printed; undefined: the host has no backups yet
 * @param now milliseconds since 1970
 */
export function reports(config: BackupConfig, fact: string | undefined, now: number): Line[] {
  const state = fact === undefined ? undefined : stateOf(fact);
  if (state === undefined) return [];
  const seconds = now / 1000;
  const { since, backup, drill } = state;
  const late = (job: Job, limit: number) => seconds - (job.succeeded ?? since ?? seconds) > limit;
  return [
    {
      warn: late(backup, parseDuration(config.maxAge)) || backup.failed !== undefined,
      text: `backup: ${sentence("succeeded", backup, seconds)}`,
    },
    ...(config.drill.enabled
      ? [
          {
            warn: late(drill, DRILL_DAYS * DAY) || drill.failed !== undefined,
            text: `backup: ${sentence("restored in a drill", drill, seconds)}`,
          },
        ]
      : []),
  ];
}

/** Undefined: this is not what the program prints. */
function stateOf(fact: string): State | undefined {
  try {
    return JSON.parse(fact);
  } catch {
    return undefined;
  }
}

function sentence(what: string, { succeeded, failed, reason }: Job, now: number): string {
  const last = succeeded === null ? `never ${what} yet` : `last ${what} ${ago(now - succeeded)}`;
  return failed === undefined ? last : `${last}; failed ${ago(now - failed)}: ${reason}`;
}
