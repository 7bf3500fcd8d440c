import { createHash, randomBytes } from "node:crypto";
import { ProviderError } from "./protocol/errors";

/** `v1:<salt hex>:<SHA-256 hex of the salt's text followed by the value>`; the host computes the same over the file. */
const SEALED = /^v1:([0-9a-f]{32}):([0-9a-f]{64})$/;

/** Values of this process, by their seal. Only the memory of the process that checked them ever holds them. */
const values = new Map<string, string>();

/** Whether a text is a seal rather than a value. */
export function isSealed(text: string): boolean {
  return SEALED.test(text);
}

/**
 * Replaces a given secret by its seal and remembers the value for Create and Update of this process. `previous` is what the
 * state holds: its salt is used again, so that the same value keeps the same seal. A seal stays as it is.
 */
export function seal(value: string, previous?: string): string {
  if (isSealed(value)) return value;
  const salt = SEALED.exec(previous ?? "")?.[1] ?? randomBytes(16).toString("hex");
  const sealed = `v1:${salt}:${createHash("sha256").update(salt).update(value).digest("hex")}`;
  values.set(sealed, value);
  return sealed;
}

/** The value behind a seal. `what` names it in the error when this process has not seen it. */
export function unseal(sealed: string, what: string): string {
  const value = values.get(sealed);
  if (value !== undefined) return value;
  throw new ProviderError(
    "FAILED_PRECONDITION",
    `the value of ${what} is not at hand: the state keeps only its digest
  do: run pulumi up with the program (not refresh or destroy alone), so that the value is given again`,
  );
}
