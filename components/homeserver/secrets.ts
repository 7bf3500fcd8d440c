import type * as pulumi from "@pulumi/pulumi";
import type { HomeserverConfig } from "../../config-schemas/homeserver";
import { registrationRequirements } from "../../config-schemas/homeserver";
import type { HostSecret, Inputs } from "../../provider/sdk";
import type { DatabaseAccess } from "../postgres";
import type { Installation } from "./installation";
import { SECRET_FILES, USER } from "./paths";
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
const RANDOM = { kind: "random" as const, bytes: 32 };

/** Every secret file of Synapse: most are made on the host and never leave it. */
export function secretFiles(
  config: HomeserverConfig,
  installation: Installation,
  access: DatabaseAccess,
  given: GivenSecrets,
): Record<string, Inputs<HostSecret>> {
  const generate = [`${installation.programs}/generate_signing_key`];
  return {
    [SECRET_FILES.registration]: { source: RANDOM, ...READABLE },
    [SECRET_FILES.macaroon]: { source: RANDOM, ...READABLE },
    [SECRET_FILES.form]: { source: RANDOM, ...READABLE },
    // The server's identity: made once, kept for ever.
    [SECRET_FILES.signingKey]: { source: { kind: "command", argv: generate }, ...READABLE },
    ...passfile(access),
    ...captcha(config, given),
    ...email(config, installation, given),
  };
}

function passfile({ passfileCommand }: DatabaseAccess): Record<string, Inputs<HostSecret>> {
  if (passfileCommand === undefined) return {};
  return { [SECRET_FILES.passfile]: { source: { kind: "command", argv: passfileCommand }, ...OWN } };
}

function captcha(
  config: HomeserverConfig,
  { captchaPrivateKey }: GivenSecrets,
): Record<string, Inputs<HostSecret>> {
  if (!registrationRequirements(config).includes("captcha")) return {};
  const value = required(captchaPrivateKey, "captcha.privateKey");
  return { [SECRET_FILES.captchaPrivateKey]: { source: { kind: "given", value }, ...READABLE } };
}

/** With a login the mail settings are a secret as a whole: Synapse takes the password from its configuration only. */
function email(
  config: HomeserverConfig,
  installation: Installation,
  { smtpPassword }: GivenSecrets,
): Record<string, Inputs<HostSecret>> {
  const settings = config.email;
  if (settings?.user === undefined) return {};
  const value = required(smtpPassword, "smtp.password").apply((password) => renderEmail(settings, password));
  return { [installation.emailFile]: { source: { kind: "given", value }, ...READABLE } };
}

function required(secret: pulumi.Output<string> | undefined, path: string): pulumi.Output<string> {
  if (secret === undefined) throw new Error(`no secret ${path}: rules.ts must have refused this stack`);
  return secret;
}
