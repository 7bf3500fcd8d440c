import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { visible } from "../../provider/text";
import { keyOf } from "../language/fault";
import type { Confirmation } from "./confirmations";

/** Names a file of confirmations to use instead of the operator's own, for machines that nobody sits at. */
const FILE_VARIABLE = "HEARTH_TRUSTED";

/** The file cannot be used; the message says why and what to do. */
export class ConfirmedError extends Error {
  override readonly name = "ConfirmedError";
}

/**
 * Where the operator's confirmations for a checkout are kept: outside of it, for a branch could bring a file of its own.
 */
export function confirmedFile(projectDirectory: string): string {
  const named = process.env[FILE_VARIABLE];
  if (named) return resolve(projectDirectory, named);
  const base = process.env.XDG_STATE_HOME || join(homedir(), ".local/state");
  const checkout = createHash("sha256").update(realpathSync(projectDirectory)).digest("hex").slice(0, 16);
  return join(base, "hearth", "trusted", `${checkout}.json`);
}

/** What was confirmed for a stack; undefined: nothing ever was. */
export function confirmedFor(file: string, stack: string): string[] | undefined {
  const lines = readAll(file)[stack];
  return Array.isArray(lines) ? lines.map(String) : undefined;
}

/** Keeps what the operator confirmed for a stack, in place of what was confirmed for it before. */
export function confirm(file: string, stack: string, confirmations: readonly Confirmation[]): void {
  const all = { ...readAll(file), [stack]: confirmations.map(lineOf) };
  const temporary = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
    renameSync(temporary, file);
  } catch (error) {
    throw unusable(file, reason(error));
  }
}

/** One confirmation as the file has it: the key and what happens. */
export function lineOf({ path, says }: Confirmation): string {
  return `${visible(keyOf(path))}: ${says}`;
}

function readAll(file: string): Record<string, unknown> {
  let text: string;
  try {
    const { uid, mode } = statSync(file);
    const own = [process.getuid?.(), 0].includes(uid);
    if (!own || (mode & 0o022) !== 0) throw unusable(file, "others than you may write it");
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof ConfirmedError) throw error;
    if (codeOf(error) === "ENOENT") return {};
    throw unusable(file, reason(error));
  }
  try {
    const all: unknown = JSON.parse(text);
    if (typeof all === "object" && all !== null && !Array.isArray(all)) return { ...all };
  } catch {
    // Said below.
  }
  throw unusable(file, "it is damaged");
}

function unusable(file: string, why: string): ConfirmedError {
  return new ConfirmedError(
    `the file of what you have confirmed cannot be used: ${visible(file)}: ${why}
    fix: repair or remove it, then confirm again: npx hearth trust -s STACK; ${FILE_VARIABLE} names another file`,
  );
}

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
}

function reason(error: unknown): string {
  return codeOf(error) || String(error);
}
