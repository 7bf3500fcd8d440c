import type * as pulumi from "@pulumi/pulumi";
import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { registrationRequirements } from "../../config-schemas/homeserver/schema";
import type { SecretSource } from "../../provider/sdk";
import type { Layout } from "../../runtimes/layout";
import type { ServiceSecret } from "../../runtimes/service";
import type { DatabaseAccess } from "../postgres";
import { USER } from "./names";
import { renderEmail } from "./render";

/** The operator's secrets that Synapse needs. */
export interface GivenSecrets {
  smtpPassword?: pulumi.Output<string>;
  captchaPrivateKey?: pulumi.Output<string>;
}

type Email = NonNullable<HomeserverConfig["email"]>;

/** Root writes, Synapse reads. */
const READABLE = { mode: "0640", owner: "root", group: USER };
/** libpq refuses a password file that others than its owner may read. */
const OWN = { mode: "0600", owner: USER, group: USER };

/** The command that makes a new server's signing key. */
function makeSigningKey(at: Layout): SecretSource {
  const generate = at.once([at.inside.interpreter, "-m", "synapse._scripts.generate_signing_key"]);
  const known = [`${at.records}/identity`, at.restore("signing-key")];
  return { kind: "command", argv: ["/bin/sh", at.host.program("signing_key.sh"), ...known, ...generate] };
}

/** Synapse's secrets by role: most are made on the host and never leave it. */
export function synapseSecrets(
  config: HomeserverConfig,
  { passfileCommand }: DatabaseAccess,
  given: GivenSecrets,
): Record<string, ServiceSecret> {
  const read = (name: string, source: ServiceSecret["source"], access = READABLE): ServiceSecret => ({
    ...{ file: `secrets/${name}`, reader: "service", source, access },
  });
  const random = () => ({ kind: "random" as const, bytes: 32 });
  const captcha = registrationRequirements(config).includes("captcha");
  const { email } = config;
  return {
    registration: read("registration_shared_secret", random),
    macaroon: read("macaroon_secret_key", random),
    form: read("form_secret", random),
    // The server's identity: made once, kept for ever.
    "signing-key": read("signing.key", makeSigningKey),
    ...(passfileCommand && {
      "database-passfile": read("database.pgpass", () => ({ kind: "command", argv: passfileCommand }), OWN),
    }),
    ...(captcha && {
      captcha: read("captcha_private_key", () => ({ kind: "given", value: captchaKey(given) })),
    }),
    ...(email?.user !== undefined && {
      email: read("email.yaml", () => ({ kind: "given", value: emailSettings(email, given) })),
    }),
  };
}

/** The operator's key of the captcha service. */
function captchaKey({ captchaPrivateKey }: GivenSecrets): pulumi.Output<string> {
  return required(captchaPrivateKey, "captcha.privateKey");
}

/** With a login the mail settings are a secret as a whole: Synapse takes the password from its configuration only. */
function emailSettings(email: Email, { smtpPassword }: GivenSecrets): pulumi.Output<string> {
  return required(smtpPassword, "smtp.password").apply((password) => renderEmail(email, password));
}

function required(secret: pulumi.Output<string> | undefined, path: string): pulumi.Output<string> {
  if (secret === undefined) throw new Error(`no secret ${path}: the rules must have refused this stack`);
  return secret;
}
