import { z } from "zod";
import { dnsName, line, port } from "../language/common";

const REQUIREMENTS = ["token", "email", "captcha"] as const;

/** Who can register. `closed` has no other keys, so that registration cannot be half open. */
export const registrationSchema = z.discriminatedUnion("mode", [
  z.strictObject({
    mode: z.literal("closed").meta({
      description: "Nobody can register; accounts come from `hearth:accounts` and the command line.",
    }),
    require: z
      .never({
        error:
          "is only allowed with mode: open; Synapse refuses to start when a closed registration asks for email",
      })
      .optional()
      .meta({ description: "Not allowed with `mode: closed`." }),
  }),
  z.strictObject({
    mode: z.literal("open").meta({ description: "Anyone who meets all of `require` can register." }),
    require: z
      .array(z.enum(REQUIREMENTS).meta({ description: "`token`, `email` or `captcha`." }))
      .min(1)
      .meta({
        description:
          "All of these are required to register: `token` (created by an admin), `email` (needs `homeserver.email`), `captcha` (needs `homeserver.captcha`). At least one: Synapse does not start without.",
        examples: [["token"]],
      }),
  }),
]);

/** Google reCAPTCHA at registration. */
export const captchaSchema = z.strictObject({
  publicKey: z
    .string()
    .regex(/^[\w-]{10,100}$/, "the site key of a reCAPTCHA v2: 10 to 100 letters, digits, - and _ (about 40)")
    .meta({
      description: "Site key of Google reCAPTCHA v2. The private key is the secret `captcha.privateKey`.",
    }),
});

/** Outgoing mail; all keys are required, because Synapse refuses to start when some are missing. */
export const emailSchema = z.strictObject({
  smtpHost: dnsName.meta({
    description: "Mail server that sends the homeserver's mail.",
    examples: ["mail.example.org"],
  }),
  smtpPort: port.default(587).meta({ description: "Port of the mail server." }),
  security: z.enum(["starttls", "tls"]).default("starttls").meta({
    description: "`starttls` (usual with port 587; TLS is required) or `tls` from the first byte (port 465).",
  }),
  user: line.optional().meta({
    description:
      "User name at the mail server; the password is the secret `smtp.password`. Absent: no login.",
    examples: ["matrix@example.org"],
  }),
  from: z
    .string()
    .regex(
      /^([^<>\r\n]+ <[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/,
      "an address (name@domain), alone or as Name <address>",
    )
    .meta({
      description: "Sender address of the homeserver's mail.",
      examples: ["Example chat <matrix@example.org>"],
    }),
  notifications: z.boolean().default(false).meta({ description: "Send users mail about missed messages." }),
});

export type RegistrationRequirement = (typeof REQUIREMENTS)[number];
