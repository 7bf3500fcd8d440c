import type { CheckResult } from "../../contract/matrix";

/** The outcome as one message: the first line is the verdict, then every failing check with what was seen and what to do. */
export function report(serverName: string, results: CheckResult[]): string {
  const failed = results.filter((result) => result.result === "fail");
  const open = results.filter((result) => result.result === "not checked");
  const unchecked = open.length === 0 ? "" : `, ${open.length} not checked (${names(open)})`;
  if (failed.length === 0)
    return `${serverName}: ${results.length - open.length} of ${results.length} checks passed${unchecked}`;
  const details = failed.map(({ check, seen, fix }) => `  ${check}: ${seen}\n    fix: ${fix}`);
  const verdict = `${serverName} runs, but ${failed.length} of ${results.length} checks failed: ${names(failed)}`;
  return [verdict, ...details].join("\n");
}

function names(results: CheckResult[]): string {
  return results.map((result) => result.check).join(", ");
}
