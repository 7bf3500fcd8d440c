import { types } from "node:util";
import type { CheckResult } from "../../contract/matrix";

/** What one check came to; the list adds the check's name. */
export type Finding = Omit<CheckResult, "check">;

/** A check under way. */
export type Check = [name: string, finding: Promise<Finding>];

export function pass(seen: string): Finding {
  return { result: "pass", seen, fix: "" };
}

/** `fix`: what the operator should do, as an instruction. */
export function fail(seen: string, fix: string): Finding {
  return { result: "fail", seen, fix };
}

/** The question has no answer; `fix`: how to get one (may be empty when there is nothing to do). */
export function notChecked(seen: string, fix = ""): Finding {
  return { result: "not checked", seen, fix };
}

/** Several findings about one thing as one: the first failure decides, else what was not checked, else all are listed. */
export function together(findings: Finding[]): Finding {
  const failures = findings.filter((finding) => finding.result === "fail");
  if (failures.length > 0) {
    return fail(
      failures.map((failure) => failure.seen).join("; "),
      [...new Set(failures.map((failure) => failure.fix))].join("; "),
    );
  }
  const open = findings.find((finding) => finding.result === "not checked");
  return open ?? pass(findings.map((finding) => finding.seen).join("; "));
}

/** Bytes for a reader: `104857600` is `100.0 MiB`. */
export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** The first line of what went wrong; errors of the host go on with advice that belongs elsewhere. */
export function firstLine(error: unknown): string {
  return (types.isNativeError(error) ? error.message : String(error)).split("\n")[0] ?? "";
}
