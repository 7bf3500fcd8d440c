import type { ReleaseInputs } from "../contract/release";
import { ProviderError } from "../protocol/errors";
import type { Answer } from "./answer";
import { refused } from "./observe";

/** Lines of a failing program that are shown. */
const SHOWN_LINES = 20;

/** The error for a transaction that did not end well: what, where, what holds now, what to do. */
export function failure(inputs: ReleaseInputs, log: Answer, host: { timedOut: boolean }): ProviderError {
  if (log.refusal) return refused(inputs, log.refusal);
  const [, step = "?", text = "no reason given"] = last(log, "fail") ?? [];
  const undone = last(log, "undone");
  const { release, connection } = inputs;
  const name = `release ${JSON.stringify(release)} on ${connection.name}`;
  const verdict =
    undone === undefined
      ? `${name} was not changed`
      : undone[1] === "ok"
        ? `${name} was rolled back`
        : `${name} could neither be changed nor rolled back`;
  const now = undone?.[2] ?? "nothing was replaced; packages, users and secrets that were added stay";
  const lines = [
    `${verdict}: ${stepText(log, step)}: ${text}`,
    ...outputLines(log),
    `  now: ${now}`,
    `  do: ${advice(text, undone?.[1], connection.name, host.timedOut)}`,
  ];
  return new ProviderError(undone?.[1] === "failed" ? "INTERNAL" : "ABORTED", lines.join("\n"));
}

function advice(text: string, undone: string | undefined, host: string, timedOut: boolean): string {
  if (undone === "failed") {
    return `log in to ${host} and look (systemctl --failed, journalctl -xe); pulumi up tries again from what it finds`;
  }
  if (timedOut)
    return "it took longer than its time; run pulumi up again, or give it more with customTimeouts";
  if (text === "cancelled") return "run pulumi up again";
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
