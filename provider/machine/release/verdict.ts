import type { ReleaseInputs } from "../../contract/release";
import { ProviderError } from "../../protocol/errors";
import { type Answer, parseObservation } from "./answer";
import { refused } from "./observe";
import { OCCUPIED, occupied } from "./obstacles";

/** Lines of a failing program that are shown. */
const SHOWN_LINES = 20;

/**
 * The error for a transaction that did not end well: what, where, what holds now, what to do. `overtime`: the seconds it
 * had, when it was stopped because they were over.
 */
export function failure(inputs: ReleaseInputs, log: Answer, overtime?: number): ProviderError {
  if (log.refusal?.code === OCCUPIED) return occupied(inputs, parseObservation(log.rows).obstacles);
  if (log.refusal) return refused(inputs, log.refusal);
  const [, step = "?", text = "no reason given"] = last(log, "fail") ?? [];
  const undone = last(log, "undone");
  const late = overtime !== undefined && text === CANCELLED;
  const lines = [
    `${verdict(inputs, step, undone?.[1])}: ${stepText(log, step)}: ${late ? `not done within ${overtime} s` : text}`,
    ...outputLines(log),
    `  now: ${undone?.[2] ?? "nothing was replaced; packages, images, users and secrets that were added stay"}`,
    `  fix: ${advice({ step, text, undone: undone?.[1], late }, inputs)}`,
  ];
  return new ProviderError(undone?.[1] === "failed" ? "INTERNAL" : "ABORTED", lines.join("\n"));
}

/** The host's word for a transaction that was asked to stop. */
const CANCELLED = "cancelled";
/** The step of a transaction that ended without a word of its own. */
const INTERRUPTED = "interrupted";

function verdict({ release, connection }: ReleaseInputs, step: string, undone: string | undefined): string {
  const name = `release ${JSON.stringify(release)} on ${connection.name}`;
  if (undone === undefined) return `${name} was not changed`;
  if (undone === "ok") return `${name} was rolled back`;
  if (undone === "complete") return `${name} was changed, but not recorded`;
  if (undone === "later") return `${name} was rolled back, as its host went down`;
  return step === INTERRUPTED
    ? `${name} may be half changed`
    : `${name} could neither be changed nor rolled back`;
}

interface Failed {
  step: string;
  text: string;
  undone: string | undefined;
  late: boolean;
}

function advice({ step, text, undone, late }: Failed, { connection, scope }: ReleaseInputs): string {
  if (undone === "complete") return "run pulumi up again: it finishes the records";
  if (undone === "later") return `run pulumi up again when ${connection.name} is up`;
  if (step === INTERRUPTED)
    return undone === "failed"
      ? "run pulumi up again: it clears up first, then makes the change"
      : "run pulumi up again";
  if (undone === "failed") {
    const of = scope === "user" ? " --user" : "";
    return `log in to ${connection.name} and look (systemctl${of} --failed, journalctl${of} -xe); pulumi up tries again from what it finds`;
  }
  if (late) return "run pulumi up again, or give it more time with customTimeouts";
  if (text === CANCELLED) return "run pulumi up again";
  return "correct the cause, then run pulumi up again";
}

/** `step 8/13 validate`: the last step that began, by number and name. */
function stepText(log: Answer, name: string): string {
  const steps = log.rows
    .slice(
      0,
      log.rows.findIndex(([kind]) => kind === "fail"),
    )
    .filter(([kind]) => kind === "step");
  const [, number, of] = steps.at(-1) ?? [];
  return number ? `step ${number}/${of} ${name}` : `step ${name}`;
}

function outputLines(log: Answer): string[] {
  const [, base64 = ""] = last(log, "output") ?? [];
  const text = Buffer.from(base64, "base64").toString("utf8").trimEnd();
  return text === ""
    ? []
    : text
        .split("\n")
        .slice(-SHOWN_LINES)
        .map((line) => `    ${line}`);
}

function last(log: Answer, kind: string): string[] | undefined {
  return log.rows.findLast((row) => row[0] === kind);
}

/** How many deeds one message lists; a first installation has dozens. */
const LISTED = 15;

/** What was done, for one message at the end: units first, they are what users notice. */
export function summary(log: Answer): string {
  const did = log.rows.filter(([kind]) => kind === "did").map(([, text = ""]) => text);
  const units = did.filter((text) => /^(restarted|reloaded|started|stopped|enabled|disabled) /.test(text));
  const others = did.filter((text) => !units.includes(text));
  const first = units.length > 0 ? units.join("; ") : "nothing was restarted";
  const listed = others.slice(0, LISTED).map((text) => `  ${text}`);
  const more = others.length > LISTED ? [`  and ${others.length - LISTED} more`] : [];
  return [`${first}; health ok`, ...listed, ...more].join("\n");
}

/** What the host found worth telling. */
export function notes(log: Answer): string[] {
  return log.rows.filter(([kind]) => kind === "note").map(([, text = ""]) => text);
}
