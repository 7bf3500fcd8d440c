/**
 * Settings of Synapse that are safe with one value and open a hole with another: the problem and the fix for each. Keys that are
 * refused with any value are in synapse-keys.ts.
 */

interface Switch {
  unsafe: (value: unknown) => boolean;
  /** Follows the key in the message. */
  problem: string;
  fix: string;
}

const isOff = (value: unknown) => value === false || value === "false";
const isOn = (value: unknown) => !isOff(value) && value !== null && value !== 0 && value !== "";
const holdsAny = (value: unknown) => !Array.isArray(value) || value.length > 0;
const below = (least: number) => (value: unknown) => !(Number(value) >= least);

const REMOVE = "remove it";

/** Switches at the top level of Synapse's configuration. */
export const UNSAFE: Readonly<Record<string, Switch>> = {
  federation_verify_certificates: {
    unsafe: isOff,
    problem:
      "lets anybody on the network path pose as another homeserver: its certificate would not be checked",
    fix: "remove it; for a partner with its own certificate authority use federation_custom_ca_list",
  },
  federation_certificate_verification_whitelist: {
    unsafe: holdsAny,
    problem:
      "lets anybody on the network path pose as the listed servers: their certificates would not be checked",
    fix: "remove it; for a partner with its own certificate authority use federation_custom_ca_list",
  },
  federation_client_minimum_tls_version: {
    unsafe: below(1.2),
    problem: "allows insecure versions of TLS",
    fix: 'write "1.2" or "1.3"',
  },
  use_insecure_ssl_client_just_for_testing_do_not_use: {
    unsafe: isOn,
    problem: "disables all certificate checks",
    fix: REMOVE,
  },
  enable_authenticated_media: {
    unsafe: isOff,
    problem: "lets anybody who knows or guesses an address fetch your users' media, without an account",
    fix: REMOVE,
  },
  allow_guest_access: {
    unsafe: isOn,
    problem: "lets people without an account in, without any requirement of registration",
    fix: "remove it; give them accounts, or registration tokens (hearth:homeserver.registration)",
  },
  turn_allow_guests: {
    unsafe: isOn,
    problem: "lets people without an account use your relay",
    fix: "write false",
  },
  auto_join_rooms_for_guests: {
    unsafe: isOn,
    problem: "puts people without an account into your rooms",
    fix: "write false",
  },
  trust_identity_server_for_password_resets: {
    unsafe: isOn,
    problem: "lets an identity server take over accounts",
    fix: "remove it; use hearth:homeserver.email",
  },
  bcrypt_rounds: {
    unsafe: below(10),
    problem: "makes stolen password hashes quick to guess",
    fix: "remove it, or write 12 or more",
  },
  restrict_public_rooms_to_local_users: {
    unsafe: isOff,
    problem: "shows the room directory to anybody",
    fix: "remove it; see hearth:homeserver.roomDirectory",
  },
};

/** Switches at any depth: of a login provider, a key server, a store. */
export const UNSAFE_ANYWHERE: Readonly<Record<string, Switch>> = {
  accept_keys_insecurely: {
    unsafe: isOn,
    problem: "accepts signing keys of other servers from anybody on the network path",
    fix: REMOVE,
  },
  skip_verification: {
    unsafe: isOn,
    problem: "accepts a login provider without checking its metadata",
    fix: REMOVE,
  },
  allow_unsafe_locale: {
    unsafe: isOn,
    problem: "lets Synapse run on a database whose indexes break with the next system upgrade",
    fix: REMOVE,
  },
};
