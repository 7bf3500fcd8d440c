import type * as pulumi from "@pulumi/pulumi";
import type { Secrets } from "../../config-schemas/given-secrets";
import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { registrationRequirements } from "../../config-schemas/homeserver/schema";
import type { SecretSource } from "../../provider/sdk";
import type { Layout } from "../../runtimes/layout";
import type { ServiceSecret } from "../../runtimes/service";
import type { DatabaseAccess } from "../postgres";
import { USER } from "./names";
import { renderEmail } from "./render";

type Email = NonNullable<HomeserverConfig["email"]>;

/** Root writes it, Synapse reads it. */
const READABLE = { mode: "0640", owner: "root", group: USER };
/** libpq refuses a password file that anyone but its owner may read. */
const OWN = { mode: "0600", owner: USER, group: USER };

/** The command that generates the signing key of a new server. */
function makeSigningKey(at: Layout): SecretSource {
  const generate = at.once([at.inside.interpreter, "-m", "synapse._scripts.generate_signing_key"]);
  const known = [`${at.records}/identity`, at.restore("signing-key")];
  return { kind: "command", argv: ["/bin/sh", at.host.program("signing_key.sh"), ...known, ...generate] };
}

/** Synapse's secrets by role. Most are generated on the host and never leave it. */
export function synapseSecrets(
  config: HomeserverConfig,
  { passfileCommand }: DatabaseAccess,
  given: Secrets,
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
    // The server's identity: generated once, never replaced.
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

/** The operator's private key of the captcha service. */
function captchaKey(given: Secrets): pulumi.Output<string> {
  return given.at("captcha", "privateKey");
}

/** With a login, all mail settings are one secret, because Synapse reads the password only from its configuration. */
function emailSettings(email: Email, given: Secrets): pulumi.Output<string> {
  return given.at("smtp", "password").apply((password) => renderEmail(email, password));
}
