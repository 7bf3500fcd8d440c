import { type AccountModel, OWN_ACCOUNT } from "../accounts/schema";
import { GivenSecret } from "../given-secrets";
import { keyOf, type Path } from "../language/fault";
import { type AnyRule, at, broken, proof, proved, removeSecret, rule, setSecret } from "../language/rule";
import { registrationRequirements } from "./schema";

/** The private key of the captcha; undefined: there is no captcha. */
export const captchaKey = proof({
  name: "a captcha has its private key",
  needs: ["homeserver", "secrets"],
  prove: ({ homeserver, secrets }) => {
    if (homeserver.captcha === undefined) return proved(undefined);
    return secrets.captcha === undefined
      ? broken(["secrets", "captcha", "privateKey"])
      : proved(new GivenSecret(secrets.captcha.privateKey));
  },
  message: "is missing, but hearth:homeserver.captcha needs it",
  fix: setSecret("captcha", "privateKey"),
});

/** The settings for mail with the password for them; undefined: Synapse does not log in at a mail server. */
export const mailLogin = proof({
  name: "a login at the mail server has its password",
  needs: ["homeserver", "secrets"],
  prove: ({ homeserver: { email }, secrets: { smtp } }) => {
    if (email?.user === undefined) return proved(undefined);
    return smtp === undefined
      ? broken(["secrets", "smtp", "password"])
      : proved({ email, password: new GivenSecret(smtp.password) });
  },
  message: "is missing, but hearth:homeserver.email.user needs it to log in",
  fix: setSecret("smtp", "password"),
});

/** The accounts, each with its password if the operator gives it. */
export const accountPasswords = proof({
  name: "an account with a given password has its secret",
  needs: ["accounts", "secrets"],
  prove: ({ accounts, secrets }) => {
    const made = Object.entries(accounts).flatMap(
      ([name, { password, ...account }]): [string, AccountModel][] => {
        if (password === "generated") return [[name, { ...account, password }]];
        const text = Object.hasOwn(secrets.accounts, name) ? secrets.accounts[name] : undefined;
        return text === undefined ? [] : [[name, { ...account, password, secret: new GivenSecret(text) }]];
      },
    );
    const models = Object.fromEntries(made);
    const missing = Object.keys(accounts).filter((name) => !Object.hasOwn(models, name));
    return missing.length === 0
      ? proved(models)
      : broken(...missing.map((name): Path => ["secrets", "accounts", name]));
  },
  message: (_stack, path) =>
    `is missing, but ${keyOf(["accounts", String(path[2])])} has \`password: given\``,
  fix: (_stack, path) => `${setSecret("accounts", String(path[2]))} (or use \`password: generated\`)`,
});

/** Rules about accounts, registration and their secrets. */
export const registrationRules: readonly AnyRule[] = [
  rule({
    name: "email at registration needs a mail server",
    needs: ["homeserver"],
    when: ({ homeserver }) =>
      at(
        registrationRequirements(homeserver).includes("email") && homeserver.email === undefined,
        "homeserver",
        "email",
      ),
    message: "is missing, but registration requires email; Synapse would exit at startup",
    fix: "add `email:` with smtpHost and from, or remove email from hearth:homeserver.registration.require",
  }),
  rule({
    name: "a captcha at registration needs its keys",
    needs: ["homeserver"],
    when: ({ homeserver }) =>
      at(
        registrationRequirements(homeserver).includes("captcha") && homeserver.captcha === undefined,
        "homeserver",
        "captcha",
      ),
    message: "is missing, but registration requires a captcha; nobody could pass it",
    fix: "add `captcha: { publicKey: … }`, or remove captcha from hearth:homeserver.registration.require",
  }),
  rule({
    name: "captcha keys are for a registration with captcha",
    needs: ["homeserver"],
    when: ({ homeserver }) =>
      at(
        homeserver.captcha !== undefined && !registrationRequirements(homeserver).includes("captcha"),
        "homeserver",
        "captcha",
      ),
    message: "has no effect: registration does not require a captcha",
    fix: "remove it, or write `registration: { mode: open, require: [captcha] }`",
  }),
  captchaKey,
  rule({
    name: "a captcha's private key has a captcha",
    needs: ["homeserver", "secrets"],
    when: ({ homeserver, secrets }) =>
      at(homeserver.captcha === undefined && secrets.captcha !== undefined, "secrets", "captcha"),
    message: "is not used: there is no hearth:homeserver.captcha",
    fix: removeSecret("captcha"),
  }),
  mailLogin,
  rule({
    name: "a password for the mail server has a login",
    needs: ["homeserver", "secrets"],
    when: ({ homeserver, secrets }) =>
      at(homeserver.email?.user === undefined && secrets.smtp !== undefined, "secrets", "smtp"),
    message: "is not used: there is no hearth:homeserver.email.user",
    fix: `${removeSecret("smtp")}, or add hearth:homeserver.email.user`,
  }),
  rule({
    name: "port and encryption of the mail server match",
    needs: ["homeserver"],
    when: ({ homeserver: { email } }) =>
      at(
        (email?.smtpPort === 465 && email.security === "starttls") ||
          (email?.smtpPort === 587 && email.security === "tls"),
        "homeserver",
        "email",
        "security",
      ),
    message: ({ homeserver: { email } }) =>
      `is ${email?.security}, but port ${email?.smtpPort} uses the other one, so no mail would be sent`,
    fix: "use port 587 with `security: starttls`, or port 465 with `security: tls`",
  }),
  rule({
    name: "Hearth's own account does not belong to a user",
    needs: ["accounts"],
    when: ({ accounts }) => at(Object.hasOwn(accounts, OWN_ACCOUNT), "accounts", OWN_ACCOUNT),
    message: "is the admin account that Hearth creates and keeps for itself",
    fix: "choose another name",
  }),
  accountPasswords,
  rule({
    name: "a password is for an account that takes it",
    needs: ["accounts", "secrets"],
    when: ({ accounts, secrets }) =>
      Object.keys(secrets.accounts)
        .filter((name) => accounts[name]?.password !== "given")
        .map((name): Path => ["secrets", "accounts", name]),
    message: ({ accounts }, path) =>
      Object.hasOwn(accounts, String(path[2]))
        ? "is not used: the account's password is generated"
        : "is a password for an account that is not under hearth:accounts",
    fix: (_stack, path) =>
      `write \`password: given\` for the account, or ${removeSecret("accounts", String(path[2]))}`,
  }),
  rule({
    name: "a deactivated account is not an admin",
    needs: ["accounts"],
    when: ({ accounts }) =>
      Object.entries(accounts)
        .filter(([, account]) => account.deactivated && account.admin)
        .map(([name]): Path => ["accounts", name, "admin"]),
    message: "is true, but the account is deactivated",
    fix: "remove `admin`, or `deactivated`",
  }),
];
