import type * as pulumi from "@pulumi/pulumi";
import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { registrationRequirements } from "../../config-schemas/homeserver/schema";
import type { HostSecret, Inputs } from "../../provider/sdk";
import { type Places, SYSTEM_PLACES } from "../../runtimes/places";
import type { DatabaseAccess } from "../postgres";
import type { Installation } from "./installation";
import { NATIVE_PATHS, USER } from "./paths";
import { renderEmail } from "./render";

/** The operator's secrets that Synapse needs. */
export interface GivenSecrets {
  smtpPassword?: pulumi.Output<string>;
  captchaPrivateKey?: pulumi.Output<string>;
}

/** Root writes, Synapse reads. */
const READABLE = { mode: "0640", owner: "root", group: USER };
/** libpq refuses a password file that others than its owner may read. */
const OWN = { mode: "0600", owner: USER, group: USER };
/** 64 hexadecimal digits. */
export const RANDOM = { kind: "random" as const, bytes: 32 };

/** Other servers know this one by its key: one that was in use and is gone is not quietly made anew. */
const MAKE_KEY =
  'if grep -q "^serverName" "$1" 2>/dev/null; then ' +
  'echo "the signing key of this server is gone, and other servers know it by that key. Put it back from a backup: $2. ' +
  'If it is lost for good, remove the line serverName from $1: a new key is made then" >&2; exit 1; fi; shift 2; exec "$@"';

/** Code from the Python index makes the key; it prints it and needs no rights for that. */
const WITHOUT_RIGHTS = [
  "/usr/bin/setpriv",
  ...["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--no-new-privs", "--inh-caps=-all", "--"],
];

/**
 * The command that makes a new server's signing key.
 * @param places where the host keeps whose server it is, once it has been set up
 * @param restore how to put an old one back, in words
 * @param generate what prints a key
 */
export function makeSigningKey(places: Places, restore: string, generate: readonly string[]): string[] {
  return ["/bin/sh", "-c", MAKE_KEY, "sh", `${places.state}/identity`, restore, ...generate];
}

/** Every secret file of a native Synapse: most are made on the host and never leave it. */
export function secretFiles(
  config: HomeserverConfig,
  installation: Installation,
  access: DatabaseAccess,
  given: GivenSecrets,
): Record<string, Inputs<HostSecret>> {
  const restore = `write it to ${NATIVE_PATHS.signingKey}`;
  const program = [...WITHOUT_RIGHTS, `${installation.programs}/generate_signing_key`];
  const generate = makeSigningKey(SYSTEM_PLACES, restore, program);
  return {
    [NATIVE_PATHS.registration]: { source: RANDOM, ...READABLE },
    [NATIVE_PATHS.macaroon]: { source: RANDOM, ...READABLE },
    [NATIVE_PATHS.form]: { source: RANDOM, ...READABLE },
    // The server's identity: made once, kept for ever.
    [NATIVE_PATHS.signingKey]: { source: { kind: "command", argv: generate }, ...READABLE },
    ...passfile(access),
    ...captcha(config, given),
    ...email(config, installation, given),
  };
}

function passfile({ passfileCommand }: DatabaseAccess): Record<string, Inputs<HostSecret>> {
  if (passfileCommand === undefined) return {};
  return { [NATIVE_PATHS.passfile]: { source: { kind: "command", argv: passfileCommand }, ...OWN } };
}

function captcha(config: HomeserverConfig, given: GivenSecrets): Record<string, Inputs<HostSecret>> {
  if (!registrationRequirements(config).includes("captcha")) return {};
  const source = { kind: "given" as const, value: captchaKey(given) };
  return { [NATIVE_PATHS.captchaPrivateKey]: { source, ...READABLE } };
}

function email(
  config: HomeserverConfig,
  installation: Installation,
  given: GivenSecrets,
): Record<string, Inputs<HostSecret>> {
  const value = emailSettings(config, given);
  if (value === undefined) return {};
  return { [installation.emailFile]: { source: { kind: "given", value }, ...READABLE } };
}

/** The operator's key of the captcha service. */
export function captchaKey({ captchaPrivateKey }: GivenSecrets): pulumi.Output<string> {
  return required(captchaPrivateKey, "captcha.privateKey");
}

/**
 * With a login the mail settings are a secret as a whole: Synapse takes the password from its configuration only. Without
 * one there are none.
 */
export function emailSettings(
  { email: settings }: HomeserverConfig,
  { smtpPassword }: GivenSecrets,
): pulumi.Output<string> | undefined {
  if (settings?.user === undefined) return undefined;
  return required(smtpPassword, "smtp.password").apply((password) => renderEmail(settings, password));
}

function required(secret: pulumi.Output<string> | undefined, path: string): pulumi.Output<string> {
  if (secret === undefined) throw new Error(`no secret ${path}: the rules must have refused this stack`);
  return secret;
}
