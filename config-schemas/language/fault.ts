import { visibleLines } from "../../provider/text";

/** A position in the stack, starting with the key after `hearth:`. */
export type Path = readonly (string | number)[];

/** One error in a stack file. */
export interface Fault {
  path: Path;
  /** What is wrong and what is allowed; follows the key in the message, e.g. `is not a size: …`. */
  problem: string;
  /** What to do; printed after `fix:`. */
  fix?: string;
  /** The value in the file; left out if it may be a secret. */
  value?: unknown;
}

/** A path as the user writes it, e.g. `hearth:homeserver.federation.allowlist[2]`. */
export function keyOf(path: Path, namespace = "hearth"): string {
  const [section, ...rest] = path;
  if (section === undefined) return `${namespace}:`;
  return rest.reduce<string>((key, step) => {
    if (typeof step === "number") return `${key}[${step}]`;
    return /^[\w-]+$/.test(step) ? `${key}.${step}` : `${key}[${JSON.stringify(step)}]`;
  }, `${namespace}:${section}`);
}

/** Whether a value may be shown: all but secrets and `extra`, where somebody may have pasted a secret. */
export function mayShow(path: Path): boolean {
  return path[0] !== "secrets" && !path.includes("extra");
}

const LONGEST_VALUE = 80;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

function formatFault(fault: Fault): string {
  const scalar = fault.value !== undefined && (typeof fault.value !== "object" || fault.value === null);
  const value = scalar && mayShow(fault.path) ? ` = ${shown(fault.value)}` : "";
  const fix = fault.fix === undefined ? "" : `\n    fix: ${fault.fix}`;
  return `  ${keyOf(fault.path)}${value}\n    ${fault.problem}${fix}`;
}

/**
 * Formats all faults as one message.
 * @param file the stack file as the user knows it, e.g. `Pulumi.vps.yaml`
 */
export function formatFaults(faults: readonly Fault[], file: string): string {
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  return visibleLines(
    `${file} has ${count}; nothing was touched.\n\n${faults.map(formatFault).join("\n\n")}\n`,
  );
}
