import { z } from "zod";
import { hostName, localpart } from "./language/common";

// Messages about these values never show them.
const secret = z.string().min(1);

/**
 * The secrets that an operator provides, all under the key `hearth:secrets`. Set each with
 * `npm run pulumi -- config set --secret --path 'hearth:secrets.<path>'`, which asks for the value.
 */
export const secretsSchema = z.strictObject({
  accounts: z
    .record(localpart, secret.meta({ description: "Password of the account." }))
    .default({})
    .meta({ description: "Passwords of accounts with `password: given`, by local part." }),
  sudo: z
    .record(hostName, secret.meta({ description: "Password for sudo." }))
    .default({})
    .meta({ description: "Passwords for sudo, by host. Absent: sudo needs none." }),
  smtp: z
    .strictObject({ password: secret.meta({ description: "Password for the login at the mail server." }) })
    .optional()
    .meta({ description: "For `homeserver.email`." }),
  tunnel: z
    .strictObject({ authKey: secret.meta({ description: "Key that the host uses to join the tailnet." }) })
    .optional()
    .meta({ description: "For `tunnel`." }),
  dynu: z
    .strictObject({ apiKey: secret.meta({ description: "API key of your account at Dynu." }) })
    .optional()
    .meta({ description: "For `dns`." }),
  backup: z
    .strictObject({
      sshKey: secret.optional().meta({ description: "Private key for `kind: sftp`, without a passphrase." }),
      password: secret.optional().meta({ description: "Password for `kind: rest-server`." }),
      secretKey: secret.optional().meta({ description: "Secret access key for `kind: s3`." }),
    })
    .optional()
    .meta({ description: "For `backup.target`." }),
  captcha: z
    .strictObject({ privateKey: secret.meta({ description: "Private key of the captcha." }) })
    .optional()
    .meta({ description: "For `homeserver.captcha`." }),
});

/** The secrets in clear text; only the caller of {@link parseStack} sees them. */
export type PlainSecrets = z.output<typeof secretsSchema>;
