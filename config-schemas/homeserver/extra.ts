import type { Fault, Path } from "../language/fault";
import { synapseKeyAdvice } from "./synapse-keys";
import { UNSAFE, UNSAFE_ANYWHERE } from "./unsafe-switches";

/** Names that are mistakes at any depth, each with the fix. */
const NEVER: Readonly<Record<string, string>> = {
  password_file:
    "remove it and see hearth:postgres.authentication: the database driver has no such option, Synapse would not start; Hearth connects without a password or with its own password file",
  federation_domain_whitelist:
    "use hearth:homeserver.federation.allowlist; Synapse reads this key at the top level only, so federation would stay open",
  federation_domain_blacklist:
    "use hearth:homeserver.federation.allowlist, or server ACLs in the rooms; Synapse never had such a key",
};

/** Names of settings that hold a secret in clear text, in lower case with `_` between words. */
const SECRET_NAME =
  /(^|_)(pass|password|passwd|passphrase|pwd|secret|token|pepper|dsn|credential|((api|private|access|auth|signing|encryption|shared|master|license|secret|account)_?key))s?$/;

/** Texts that are a secret under any name: a private key, a URL with a password, tokens with a known prefix. */
const SECRET_VALUE =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----|:\/\/[^/\s@]*:[^/\s@]+@|^(sy[tlr]_|m[acp][tr]_|tskey-|gh[opsur]_|github_pat_|glpat-|xox[a-z]-|sk_live_|eyJ[\w-]+\.)/;

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function nestedFaults(value: unknown, path: Path): Fault[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => nestedFaults(item, [...path, index]));
  if (!isMapping(value)) return valueFaults(value, path);
  return Object.entries(value).flatMap(([key, child]) => {
    const here = [...path, key];
    const never = Object.hasOwn(NEVER, key) ? NEVER[key] : undefined;
    if (never !== undefined)
      return [{ path: here, problem: "does not have the effect that its name suggests", fix: never }];
    return [...switchFaults(UNSAFE_ANYWHERE, key, child, here), ...secretFaults(key, child, here)];
  });
}

function switchFaults(switches: typeof UNSAFE, key: string, value: unknown, path: Path): Fault[] {
  const found = Object.hasOwn(switches, key) ? switches[key] : undefined;
  if (found === undefined || !found.unsafe(value)) return [];
  return [{ path, problem: found.problem, fix: found.fix }];
}

/** The faults of a value whose key may name a secret; the secret can also be a number or in a list. */
function secretFaults(key: string, value: unknown, path: Path): Fault[] {
  const name = key
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();
  const items = Array.isArray(value) ? value : [value];
  const isSecret = items.some(
    (item) => typeof item === "number" || (typeof item === "string" && item !== ""),
  );
  return isSecret && SECRET_NAME.test(name) ? [secretFault(path)] : nestedFaults(value, path);
}

function valueFaults(value: unknown, path: Path): Fault[] {
  return typeof value === "string" && SECRET_VALUE.test(value) ? [secretFault(path)] : [];
}

function secretFault(path: Path): Fault {
  return {
    path,
    problem: "looks like a secret, but this file is not secret",
    fix: "replace the secret, and use Synapse's key that reads it from a file on the host (often the same name with _path); leave the setting out if there is no such key",
  };
}

function topLevelFaults(key: string, value: unknown, path: Path): Fault[] {
  const advice = synapseKeyAdvice(key);
  if (advice !== undefined) return [{ path, problem: "is not allowed in `extra`", fix: advice }];
  if (value === null)
    return [
      {
        path,
        problem: "is empty; Synapse may fail on it or use an unsafe default",
        fix: "remove it or give it content",
      },
    ];
  return [...switchFaults(UNSAFE, key, value, path), ...secretFaults(key, value, path)];
}

/**
 * Faults in `homeserver.extra` that can be found without Synapse: keys that Hearth sets, keys that never existed,
 * and secrets in clear text. The release of Synapse that will run checks the other keys.
 * @param extra the block as written; the schema reports anything but a mapping
 */
export function extraFaults(extra: unknown): Fault[] {
  if (!isMapping(extra)) return [];
  return Object.entries(extra).flatMap(([key, value]) =>
    topLevelFaults(key, value, ["homeserver", "extra", key]),
  );
}
