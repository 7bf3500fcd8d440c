import { parse } from "yaml";
import type { RawStack } from "./parse";
import { NAMESPACE } from "./stack";

/** Replaces a secret whose value is not needed. */
const ENCRYPTED = "encrypted";

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  if ("secure" in value) return ENCRYPTED;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, withoutSecrets(child)]));
}

/**
 * Reads the `hearth:` keys of a stack file without the engine: every secret stays encrypted and becomes a fixed word here.
 * @param text the file; throws when it is not YAML
 */
export function rawOf(text: string): RawStack {
  const file: unknown = parse(text);
  const config = typeof file === "object" && file !== null && "config" in file ? file.config : undefined;
  if (typeof config !== "object" || config === null) return {};
  const prefix = `${NAMESPACE}:`;
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), withoutSecrets(value)]),
  );
}
