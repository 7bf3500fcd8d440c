import { type Places, SYSTEM_PLACES } from "../../runtimes/places";

/** Paths of a certificate with its chain, and of its key, on its host. */
export interface CertificatePaths {
  certificateFile: string;
  keyFile: string;
}

/** Folder of the operator's certificate on its host. */
export function tlsFolder(places: Places): string {
  return places.config("tls");
}

/** Names of the files in every folder of a certificate. */
export const CERTIFICATE_NAME = "fullchain.pem";
const KEY_NAME = "privkey.pem";
/** Name of the Podman secret with the key, for containers. */
export const KEY_SECRET = "hearth-tls-key";

/** Name of the component; for ACME also of its folders. */
export const SERVICE = "certificates";
/** Data folder of the ACME client and its certificates; Hearth never removes it. */
export const ACME_FOLDER = SYSTEM_PLACES.data(SERVICE);
/** A link to the folder with the newest certificate and its key: both change in one step. */
const CURRENT = `${ACME_FOLDER}/current`;
/** Folder that the authority reads over HTTP. */
export const CHALLENGE_FOLDER = `${ACME_FOLDER}/challenge`;

const within = (folder: string): CertificatePaths => ({
  certificateFile: `${folder}/${CERTIFICATE_NAME}`,
  keyFile: `${folder}/${KEY_NAME}`,
});

/** Where services of root find the certificate, by its source. */
export const CERTIFICATE_PATHS = { files: within(tlsFolder(SYSTEM_PLACES)), acme: within(CURRENT) } as const;
