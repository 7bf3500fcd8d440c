import type { HomeserverSecrets } from "../../config-schemas/model";
import { secretOutput } from "../../config-schemas/secret-output";
import type { SecretSource } from "../../provider/sdk";
import type { Layout } from "../../runtimes/layout";
import type { ServiceSecret } from "../../runtimes/service";
import type { DatabaseAccess } from "../postgres";
import { USER } from "./names";
import { renderEmail } from "./render";

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
  { passfileCommand }: DatabaseAccess,
  { captchaKey, mail }: HomeserverSecrets,
): Record<string, ServiceSecret> {
  const read = (name: string, source: ServiceSecret["source"], access = READABLE): ServiceSecret => ({
    ...{ file: `secrets/${name}`, reader: "service", source, access },
  });
  const random = () => ({ kind: "random" as const, bytes: 32 });
  return {
    registration: read("registration_shared_secret", random),
    macaroon: read("macaroon_secret_key", random),
    form: read("form_secret", random),
    // The server's identity: generated once, never replaced.
    "signing-key": read("signing.key", makeSigningKey),
    ...(passfileCommand && {
      "database-passfile": read("database.pgpass", () => ({ kind: "command", argv: passfileCommand }), OWN),
    }),
    ...(captchaKey && {
      captcha: read("captcha_private_key", () => ({ kind: "given", value: secretOutput(captchaKey) })),
    }),
    ...(mail && { email: read("email.yaml", () => ({ kind: "given", value: emailSettings(mail) })) }),
  };
}

/** With a login, all mail settings are one secret, because Synapse reads the password only from its configuration. */
function emailSettings({ email, password }: NonNullable<HomeserverSecrets["mail"]>) {
  return secretOutput(password).apply((text) => renderEmail(email, text));
}
