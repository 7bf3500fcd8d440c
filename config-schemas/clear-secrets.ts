import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Fault, Path } from "./language/fault";
import { NAMESPACE } from "./stack";

/** Paths of unencrypted values below a value of the stack file. */
function clearBelow(value: unknown, path: Path): Path[] {
  if (value === null || value === undefined) return [];
  if (typeof value !== "object") return [path];
  if ("secure" in value) return [];
  return Object.entries(value).flatMap(([key, child]) => clearBelow(child, [...path, key]));
}

/** Whether there are values below a key; the engine leaves empty mappings when the last secret is removed. */
export function holdsValues(value: unknown): boolean {
  return clearBelow(value, []).length > 0;
}

/**
 * Paths of secrets in clear text in a stack file. The engine marks a key as secret as soon as one value under it is secret, so only
 * the file itself shows which values are not encrypted.
 * @param text the stack file
 */
export function clearSecrets(text: string): Path[] {
  const file: unknown = parse(text);
  const config = typeof file === "object" && file !== null && "config" in file ? file.config : undefined;
  if (typeof config !== "object" || config === null) return [];
  const secrets = Object.entries(config).find(([key]) => key === `${NAMESPACE}:secrets`);
  return secrets === undefined ? [] : clearBelow(secrets[1], ["secrets"]);
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/**
 * Faults for secrets in clear text. When the stack file is not at its usual path (`--config-file`), the engine's mark decides.
 * @param marked whether the engine marks `hearth:secrets` as secret; undefined when there is no such key
 */
export function clearSecretFaults(
  projectDirectory: string,
  fileName: string,
  marked: boolean | undefined,
): Fault[] {
  const text = textOf(join(projectDirectory, fileName));
  const unmarked: Path[] = marked === false ? [["secrets"]] : [];
  const paths = text === undefined ? unmarked : clearSecrets(text);
  return paths.map((path) => ({
    path,
    problem: "is in clear text in the stack file",
    fix: "replace the exposed secret, and set the new value with `npm run pulumi -- config set --secret --path`, which asks for it",
  }));
}
