import type { Row } from "./row";

const EMAIL = { smtpHost: "mail.example.org", from: "a@example.org" };
const OPEN = (...require: string[]) => ({ mode: "open", require });

export const REGISTRATION: Row[] = [
  {
    rule: "email at registration needs a mail server",
    good: { homeserver: { registration: OPEN("email"), email: EMAIL } },
    bad: { homeserver: { registration: OPEN("email") } },
    says: [
      "hearth:homeserver.email: is missing, but registration requires email; Synapse would exit at startup | add `email:` with smtpHost and from, or remove email from hearth:homeserver.registration.require",
    ],
  },
  {
    rule: "a captcha at registration needs its keys",
    good: {
      homeserver: { registration: OPEN("captcha"), captcha: { publicKey: "k".repeat(40) } },
      secrets: { captcha: { privateKey: "x" } },
    },
    bad: { homeserver: { registration: OPEN("captcha") } },
    says: [
      "hearth:homeserver.captcha: is missing, but registration requires a captcha; nobody could pass it | add `captcha: { publicKey: … }`, or remove captcha from hearth:homeserver.registration.require",
    ],
  },
  {
    rule: "captcha keys are for a registration with captcha",
    good: {
      homeserver: { registration: OPEN("token", "captcha"), captcha: { publicKey: "k".repeat(40) } },
      secrets: { captcha: { privateKey: "x" } },
    },
    bad: {
      homeserver: { captcha: { publicKey: "k".repeat(40) } },
      secrets: { captcha: { privateKey: "x" } },
    },
    says: [
      "hearth:homeserver.captcha: has no effect: registration does not require a captcha | remove it, or write `registration: { mode: open, require: [captcha] }`",
    ],
  },
  {
    rule: "a captcha has its private key",
    good: {
      homeserver: { registration: OPEN("captcha"), captcha: { publicKey: "k".repeat(40) } },
      secrets: { captcha: { privateKey: "x" } },
    },
    bad: { homeserver: { registration: OPEN("captcha"), captcha: { publicKey: "k".repeat(40) } } },
    says: [
      "hearth:secrets.captcha.privateKey: is missing, but hearth:homeserver.captcha needs it | run: npm run pulumi -- config set --secret --path 'hearth:secrets.captcha.privateKey'",
    ],
  },
  {
    rule: "a captcha's private key has a captcha",
    good: {},
    bad: { secrets: { captcha: { privateKey: "x" } } },
    says: [
      "hearth:secrets.captcha: is not used: there is no hearth:homeserver.captcha | run: npm run pulumi -- config rm --path 'hearth:secrets.captcha'",
    ],
  },
  {
    rule: "a login at the mail server has its password",
    good: { homeserver: { email: { ...EMAIL, user: "m" } }, secrets: { smtp: { password: "x" } } },
    bad: { homeserver: { email: { ...EMAIL, user: "m" } } },
    says: [
      "hearth:secrets.smtp.password: is missing, but hearth:homeserver.email.user needs it to log in | run: npm run pulumi -- config set --secret --path 'hearth:secrets.smtp.password'",
    ],
  },
  {
    rule: "a password for the mail server has a login",
    good: { homeserver: { email: EMAIL } },
    bad: { homeserver: { email: EMAIL }, secrets: { smtp: { password: "x" } } },
    says: [
      "hearth:secrets.smtp: is not used: there is no hearth:homeserver.email.user | run: npm run pulumi -- config rm --path 'hearth:secrets.smtp', or add hearth:homeserver.email.user",
    ],
  },
  {
    rule: "port and encryption of the mail server match",
    good: { homeserver: { email: { ...EMAIL, smtpPort: 465, security: "tls" } } },
    bad: { homeserver: { email: { ...EMAIL, smtpPort: 465 } } },
    says: [
      "hearth:homeserver.email.security: is starttls, but port 465 uses the other one, so no mail would be sent | use port 587 with `security: starttls`, or port 465 with `security: tls`",
    ],
  },
  {
    rule: "Hearth's own account does not belong to a user",
    good: { accounts: { hearth2: {} } },
    bad: { accounts: { hearth: { admin: true } } },
    says: [
      "hearth:accounts.hearth: is the admin account that Hearth creates and keeps for itself | choose another name",
    ],
  },
  {
    rule: "an account with a given password has its secret",
    good: { accounts: { "b.c": { password: "given" } }, secrets: { accounts: { "b.c": "x" } } },
    bad: { accounts: { "b.c": { password: "given" } } },
    says: [
      'hearth:secrets.accounts["b.c"]: is missing, but hearth:accounts["b.c"] has `password: given` | run: npm run pulumi -- config set --secret --path \'hearth:secrets.accounts["b.c"]\' (or use `password: generated`)',
    ],
  },
  {
    rule: "a password is for an account that takes it",
    good: {},
    bad: { accounts: { bob: {} }, secrets: { accounts: { bob: "x", eve: "x" } } },
    says: [
      "hearth:secrets.accounts.bob: is not used: the account's password is generated | write `password: given` for the account, or run: npm run pulumi -- config rm --path 'hearth:secrets.accounts.bob'",
      "hearth:secrets.accounts.eve: is a password for an account that is not under hearth:accounts | write `password: given` for the account, or run: npm run pulumi -- config rm --path 'hearth:secrets.accounts.eve'",
    ],
  },
  {
    rule: "a deactivated account is not an admin",
    good: { accounts: { bob: { deactivated: true } } },
    bad: { accounts: { bob: { deactivated: true, admin: true } } },
    says: [
      "hearth:accounts.bob.admin: is true, but the account is deactivated | remove `admin`, or `deactivated`",
    ],
  },
];
