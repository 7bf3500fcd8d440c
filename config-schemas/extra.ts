import type { Fault, Path } from "./fault";
import { synapseKeyAdvice } from "./synapse-keys";

/** Names that are mistakes wherever they stand, with what is true instead. */
const NEVER: Readonly<Record<string, string>> = {
  password_file:
    "the database driver has no such option and Synapse would not start; Hearth connects without a password or by a password file of its own: see hearth:postgres.authentication",
  federation_domain_whitelist:
    "Synapse reads it at the top level only, so federation stays open; use hearth:homeserver.federation.allowlist",
  federation_domain_blacklist:
    "Synapse never had such a key; use hearth:homeserver.federation.allowlist, or server ACLs in the rooms",
};

/** Names under which programs expect a secret in clear. */
const SECRET_NAME = /(^|_)(password|pass|secret|token|private_key|access_key|pepper)$/;

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function nestedFaults(value: unknown, path: Path): Fault[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => nestedFaults(item, [...path, index]));
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const here = [...path, key];
    const never = Object.hasOwn(NEVER, key) ? NEVER[key] : undefined;
    if (never !== undefined) return [{ path: here, problem: "does not do what it seems to", fix: never }];
    return [...secretFaults(key, child, here), ...nestedFaults(child, here)];
  });
}

function secretFaults(key: string, value: unknown, path: Path): Fault[] {
  if (typeof value !== "string" || !SECRET_NAME.test(key)) return [];
  return [
    {
      path,
      problem: "looks like a secret, and this file is not secret",
      fix: "use Synapse's key that reads it from a file on the host (often the same name with _path), and change the secret",
    },
  ];
}

function topLevelFaults(key: string, value: unknown, path: Path): Fault[] {
  const advice = synapseKeyAdvice(key);
  if (advice !== undefined) return [{ path, problem: "is not for `extra`", fix: advice }];
  if (value === null)
    return [
      {
        path,
        problem: "is empty; Synapse may fail on it or fall back to something unsafe",
        fix: "remove it or give it content",
      },
    ];
  return [...secretFaults(key, value, path), ...nestedFaults(value, path)];
}

/**
 * Faults in `homeserver.extra` that can be told without asking Synapse: keys that Hearth sets, keys that never existed,
 * and secrets in clear. Whether Synapse knows the other keys is checked with the release that will run.
 * @param extra the block as written; anything but a mapping is left to the schema
 */
export function extraFaults(extra: unknown): Fault[] {
  if (!isMapping(extra)) return [];
  return Object.entries(extra).flatMap(([key, value]) =>
    topLevelFaults(key, value, ["homeserver", "extra", key]),
  );
}
