import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { visible } from "../../provider/text";
import { keyOf } from "../language/fault";
import type { Confirmation } from "./confirmations";

/** Names a file of confirmations to use instead of the operator's own, for machines without an operator. */
const FILE_VARIABLE = "HEARTH_TRUSTED";

/** The file cannot be used; the message says why and how to fix it. */
export class ConfirmedError extends Error {
  override readonly name = "ConfirmedError";
}

/**
 * The path of the operator's confirmations for a checkout: outside of it, because a branch could contain such a file.
 */
export function confirmedFile(projectDirectory: string): string {
  const named = process.env[FILE_VARIABLE];
  if (named) return resolve(projectDirectory, named);
  const base = process.env.XDG_STATE_HOME || join(homedir(), ".local/state");
  const checkout = createHash("sha256").update(realpathSync(projectDirectory)).digest("hex").slice(0, 16);
  return join(base, "hearth", "trusted", `${checkout}.json`);
}

/** The confirmations for a stack; undefined: there never were any. */
export function confirmedFor(file: string, stack: string): string[] | undefined {
  const lines = readAll(file)[stack];
  return Array.isArray(lines) ? lines.map(String) : undefined;
}

/** Saves the operator's confirmations for a stack; replaces the earlier ones. */
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

/** One confirmation as a line of the file: the key and what happens. */
export function lineOf({ path, says }: Confirmation): string {
  return `${visible(keyOf(path))}: ${says}`;
}

function readAll(file: string): Record<string, unknown> {
  let text: string;
  try {
    const { uid, mode } = statSync(file);
    const own = [process.getuid?.(), 0].includes(uid);
    if (!own || (mode & 0o022) !== 0) throw unusable(file, "other users can write it");
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
    // Reported below.
  }
  throw unusable(file, "it is damaged");
}

function unusable(file: string, why: string): ConfirmedError {
  return new ConfirmedError(
    `the file of your confirmations cannot be used: ${visible(file)}: ${why}
    fix: repair or remove it, then confirm again: npx hearth trust -s STACK; ${FILE_VARIABLE} names another file`,
  );
}

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
}

function reason(error: unknown): string {
  return codeOf(error) || String(error);
}
