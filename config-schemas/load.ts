import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { clearSecretFaults, holdsValues } from "./clear-secrets";
import { fileFaults } from "./files";
import { type Fault, formatFaults } from "./language/fault";
import type { StackModel } from "./model";
import { type ParsedStack, parseStack, type RawStack } from "./parse";
import { NAMESPACE } from "./stack";
import { confirmationsOf } from "./trust/confirmations";
import { ConfirmedError, confirmedFile } from "./trust/confirmed";
import { Consent } from "./trust/consent";

/** A mistake that the user can fix: the engine prints the message and no stack trace. */
export class UserError extends pulumi.RunError {}

/** A stack file that was read and has no faults. */
export interface LoadedStack {
  config: StackModel;
  /** Its sections as the user wrote them, without secrets. */
  written: RawStack;
  /** Relative paths in the stack file start at this directory. */
  projectDirectory: string;
}

/** The variable in which the engine lists the configuration keys that hold secrets. */
const SECRET_KEYS_VARIABLE = "PULUMI_CONFIG_SECRET_KEYS";

function secretKeys(): readonly string[] {
  const keys: unknown = JSON.parse(process.env[SECRET_KEYS_VARIABLE] || "[]");
  return Array.isArray(keys) ? keys.map(String) : [];
}

/** The engine passes structured values to a program as JSON text, and scalars unchanged. */
function plainValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function readRaw(): RawStack {
  const prefix = `${NAMESPACE}:`;
  return Object.fromEntries(
    Object.entries(pulumi.runtime.allConfig())
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, text]) => [key.slice(prefix.length), plainValue(text)]),
  );
}

/** Secrets in a section without secrets: the engine marks the whole key, so nothing under it may be shown. */
function hiddenFaults(raw: RawStack, secret: readonly string[]): Fault[] {
  return Object.keys(raw)
    .filter((section) => section !== "secrets" && secret.includes(`${NAMESPACE}:${section}`))
    .map((section) => ({
      path: [section],
      problem: "contains a value that was set with --secret, which would hide the whole key from every diff",
      fix: "set it again without --secret; secrets belong in hearth:secrets",
    }));
}

/** Converts the error of an unusable file of confirmations to one that the user can fix. */
function withConfirmations<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof ConfirmedError ? new UserError(error.message) : error;
  }
}

function consentTo(parsed: ParsedStack, projectDirectory: string): Consent {
  const needed = parsed.ok ? confirmationsOf(parsed.config, parsed.secrets, projectDirectory) : [];
  return new Consent(pulumi.getStack(), confirmedFile(projectDirectory), needed, pulumi.runtime.isDryRun());
}

/**
 * Reads the stack's configuration; no other function does.
 * @param projectDirectory relative paths start here; default: the directory of Pulumi.yaml
 * @throws UserError with all faults of the stack file; no fault shows a secret
 */
export function loadStack(projectDirectory: string = process.cwd()): LoadedStack {
  const raw = readRaw();
  const secret = secretKeys();
  const file = `Pulumi.${pulumi.getStack()}.yaml`;
  const hidden = hiddenFaults(raw, secret);
  if (hidden.length > 0) throw new UserError(formatFaults(hidden, file));
  const marked = holdsValues(raw.secrets) ? secret.includes(`${NAMESPACE}:secrets`) : undefined;
  const parsed = parseStack(raw);
  const consent = withConfirmations(() => consentTo(parsed, projectDirectory));
  const faults = [
    ...clearSecretFaults(projectDirectory, file, marked),
    ...(parsed.ok ? fileFaults(parsed.config, projectDirectory, new Date()) : parsed.faults),
    ...consent.faults(),
  ];
  if (!parsed.ok || faults.length > 0) throw new UserError(formatFaults(faults, file));
  for (const warning of withConfirmations(() => consent.keep())) void pulumi.log.warn(warning);
  const { secrets: _, ...written } = raw;
  return {
    config: parsed.config,
    written,
    projectDirectory: path.resolve(projectDirectory),
  };
}
