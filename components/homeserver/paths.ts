/** Where the homeserver's things are on its host. */

/** System user and group that Synapse runs as. */
export const USER = "matrix-synapse";
export const UNIT = "matrix-synapse.service";

export const CONFIG_FOLDER = "/etc/hearth/homeserver";
export const LOG_CONFIG = `${CONFIG_FOLDER}/log.yaml`;

export const SECRETS_FOLDER = `${CONFIG_FOLDER}/secrets`;
export const SECRET_FILES = {
  registration: `${SECRETS_FOLDER}/registration_shared_secret`,
  macaroon: `${SECRETS_FOLDER}/macaroon_secret_key`,
  form: `${SECRETS_FOLDER}/form_secret`,
  signingKey: `${SECRETS_FOLDER}/signing.key`,
  passfile: `${SECRETS_FOLDER}/database.pgpass`,
  captchaPublicKey: `${CONFIG_FOLDER}/captcha_public_key`,
  captchaPrivateKey: `${SECRETS_FOLDER}/captcha_private_key`,
  email: `${SECRETS_FOLDER}/email.yaml`,
} as const;

export const DATA_FOLDER = "/var/lib/matrix-synapse";
export const MEDIA_FOLDER = `${DATA_FOLDER}/media`;
export const LOG_FOLDER = "/var/log/matrix-synapse";
export const LOG_FILE = `${LOG_FOLDER}/homeserver.log`;
