import { createHash, randomBytes, scryptSync } from "node:crypto";
import { ProviderError } from "./protocol/errors";

/**
 * `v1:<salt hex>:<SHA-256 hex of the salt's text followed by the value>`: the host computes the same over the file.
 * `v2:<salt hex>:<scrypt hex>`: for passwords that people choose and no host has in a file, so that guessing them is slow.
 */
const SEALED = /^(v[12]):([0-9a-f]{32}):([0-9a-f]{64})$/;
type Version = "v1" | "v2";

/** As `hashlib.scrypt` in account.py. */
const COST = { N: 2 ** 14, r: 8, p: 1 };

/** Values of this process, by their seal. Only the memory of the process that checked them ever holds them. */
const values = new Map<string, string>();

/** Seals of this process to those that an earlier version made of the same values. */
const renewed = new Map<string, string>();

/** Whether a text is a seal rather than a value. */
export function isSealed(text: string): boolean {
  return SEALED.test(text);
}

/**
 * Replaces a given secret by its seal and remembers the value for Create and Update of this process. `previous` is what the
 * state holds: its salt is used again, so that the same value keeps the same seal. A seal stays as it is.
 */
export function seal(value: string, previous?: string): string {
  return sealAs("v1", value, previous);
}

/** {@link seal} for a password that a person chose. States of earlier versions have another seal of it, see {@link isSameSeal}. */
export function sealPassword(value: string, previous?: string): string {
  const sealed = sealAs("v2", value, previous);
  if (previous !== undefined && sealAs("v1", value, previous) === previous) renewed.set(sealed, previous);
  return sealed;
}

/** Whether the seal in the state is of the same value as one that this process has made. */
export function isSameSeal(old: string | undefined, now: string | undefined): boolean {
  return old === now || (now !== undefined && renewed.get(now) === old);
}

function sealAs(version: Version, value: string, previous?: string): string {
  if (isSealed(value)) return value;
  const salt = SEALED.exec(previous ?? "")?.[2] ?? randomBytes(16).toString("hex");
  const sealed = `${version}:${salt}:${digestOf(version, value, salt)}`;
  values.set(sealed, value);
  return sealed;
}

function digestOf(version: Version, value: string, salt: string): string {
  if (version === "v2") return scryptSync(value, Buffer.from(salt, "hex"), 32, COST).toString("hex");
  return createHash("sha256").update(salt).update(value).digest("hex");
}

/** The value behind a seal. `what` names it in the error when this process has not seen it. */
export function unseal(sealed: string, what: string): string {
  const value = values.get(sealed);
  if (value !== undefined) return value;
  throw new ProviderError(
    "FAILED_PRECONDITION",
    `the value of ${what} is not at hand: the state keeps only its digest
  fix: run pulumi up with the program (not refresh or destroy alone), so that the value is given again`,
  );
}
