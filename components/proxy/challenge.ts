import { block, file, listenPlain, REDIRECT } from "./nginx";
import { SITES_FOLDER } from "./render";

/** Path of nginx's file with the server for plain HTTP, where an authority asks for proofs (ACME). */
export const CHALLENGE_PATH = `${SITES_FOLDER}/acme.conf`;

/** The path that authorities read (RFC 8555, section 8.3). */
const PROOFS = "/.well-known/acme-challenge/";

/**
 * The server for plain HTTP. It belongs to the certificate's release: the first certificate is there before the proxy is.
 * @param folder the folder with the proofs
 */
export function renderChallenge(host: { ipv6: boolean }, names: readonly string[], folder: string): string {
  return file("Written by Hearth. Plain HTTP: proofs for the authority that gives the certificate.", [
    ...block("server", [
      ...listenPlain(host, 80),
      `server_name ${names.join(" ")};`,
      ...block(`location ${PROOFS}`, [`root ${folder};`, "default_type text/plain;"]),
      ...block("location /", [REDIRECT]),
    ]),
  ]);
}
