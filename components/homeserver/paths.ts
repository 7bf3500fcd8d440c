/** Where the homeserver's things are. */

/** Where Synapse itself finds what its configuration names. */
export interface SynapsePaths {
  logConfig: string;
  logFile: string;
  media: string;
  registration: string;
  macaroon: string;
  form: string;
  signingKey: string;
  passfile: string;
  captchaPublicKey: string;
  captchaPrivateKey: string;
  /** Settings of mail with a login, password included. */
  email: string;
}

/** Where Synapse is, as its configuration has to say. */
export interface SynapsePlace {
  paths: SynapsePaths;
  /** The unix socket that the proxy and Hearth's own programs use. */
  socket: string;
  /** Where other programs on the host may reach it too. */
  listen?: { port: number; addresses: readonly string[] } | undefined;
}

/** Name of the socket in its folder, on the host and in containers. */
export const SOCKET_NAME = "synapse.sock";
/** Folder of the socket: Synapse's own, and open to the group of the proxy; nobody else can reach or replace what is in it. */
export const SOCKET_FOLDER = "/run/hearth-synapse";
/** Group of nginx on Debian. */
export const PROXY_GROUP = "www-data";

/** System user and group that a native Synapse runs as. */
export const USER = "matrix-synapse";
export const UNIT = "matrix-synapse.service";
/** Container, and unit, of a Synapse in a container. */
export const CONTAINER = "hearth-synapse";
export const CONTAINER_UNIT = `${CONTAINER}.service`;

export const CONFIG_FOLDER = "/etc/hearth/homeserver";
export const SECRETS_FOLDER = `${CONFIG_FOLDER}/secrets`;
export const DATA_FOLDER = "/var/lib/matrix-synapse";
export const LOG_FOLDER = "/var/log/matrix-synapse";

export const NATIVE_PATHS: SynapsePaths = {
  logConfig: `${CONFIG_FOLDER}/log.yaml`,
  logFile: `${LOG_FOLDER}/homeserver.log`,
  media: `${DATA_FOLDER}/media`,
  registration: `${SECRETS_FOLDER}/registration_shared_secret`,
  macaroon: `${SECRETS_FOLDER}/macaroon_secret_key`,
  form: `${SECRETS_FOLDER}/form_secret`,
  signingKey: `${SECRETS_FOLDER}/signing.key`,
  passfile: `${SECRETS_FOLDER}/database.pgpass`,
  captchaPublicKey: `${CONFIG_FOLDER}/captcha_public_key`,
  captchaPrivateKey: `${SECRETS_FOLDER}/captcha_private_key`,
  email: `${SECRETS_FOLDER}/email.yaml`,
};

/** Names of the Podman secrets, which are the names of their files in the container too. */
export const CONTAINER_SECRETS = {
  registration: "hearth-registration",
  macaroon: "hearth-macaroon",
  form: "hearth-form",
  signingKey: "hearth-signing-key",
  passfile: "hearth-database-passfile",
  captchaPrivateKey: "hearth-captcha",
  email: "hearth-email",
} as const;

/** Folders in the container; those of configuration and data are mounted from the login user's home. */
export const CONTAINER_CONFIG = "/etc/hearth/homeserver";
export const CONTAINER_DATA = "/data";

const inSecrets = (name: string) => `/run/secrets/${name}`;
export const CONTAINER_PATHS: SynapsePaths = {
  logConfig: `${CONTAINER_CONFIG}/log.yaml`,
  logFile: `${CONTAINER_DATA}/log/homeserver.log`,
  media: `${CONTAINER_DATA}/media`,
  registration: inSecrets(CONTAINER_SECRETS.registration),
  macaroon: inSecrets(CONTAINER_SECRETS.macaroon),
  form: inSecrets(CONTAINER_SECRETS.form),
  signingKey: inSecrets(CONTAINER_SECRETS.signingKey),
  passfile: inSecrets(CONTAINER_SECRETS.passfile),
  captchaPublicKey: `${CONTAINER_CONFIG}/captcha_public_key`,
  captchaPrivateKey: inSecrets(CONTAINER_SECRETS.captchaPrivateKey),
  email: inSecrets(CONTAINER_SECRETS.email),
};
