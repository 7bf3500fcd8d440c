import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as tls from "node:tls";
import { ProviderError } from "../../protocol/errors";
import { type Finding, fail, firstLine, pass } from "./finding";
import { lookup, type Resolve, reason, TIMEOUT } from "./network";

const DAY = 24 * 3600 * 1000;

/** What the TLS handshake showed. */
export interface Handshake {
  /** OpenSSL's or node's verdict on chain and name; undefined: both are good. */
  error?: string;
  names: string;
  issuer: string;
  validFrom: Date;
  validTo: Date;
  protocol: string;
}

/** Trusts node's own list and the authorities in a PEM file. Undefined: node's defaults. Throws when the file is unusable. */
export function trust(caFile: string | undefined): tls.SecureContext | undefined {
  if (caFile === undefined) return undefined;
  try {
    const own = fs.readFileSync(caFile, "utf8");
    // OpenSSL would skip what is no certificate without a word.
    new X509Certificate(own);
    return tls.createSecureContext({ ca: [...tls.rootCertificates, own] });
  } catch (error) {
    throw new ProviderError(
      "FAILED_PRECONDITION",
      `verification.caFile ${caFile} cannot be used: ${firstLine(error)}
  fix: name a readable PEM file with the certificate of the authority, or remove the setting`,
    );
  }
}

/** Chain, name, expiry as a client sees them that has only the system's (and the stack's) authorities. */
export async function checkCertificate(
  host: string,
  port: number,
  resolve: Resolve,
  context: tls.SecureContext | undefined,
): Promise<Finding> {
  try {
    return judgeCertificate(host, await handshake(host, port, resolve, context), new Date());
  } catch (error) {
    const what = firstLine(error);
    return fail(
      `no TLS on ${host}:${port}: ${what}`,
      `make the proxy listen on ${port} and let port ${port} through the firewalls in front of it`,
    );
  }
}

export function judgeCertificate(host: string, seen: Handshake, now: Date): Finding {
  const days = (seen.validTo.getTime() - now.getTime()) / DAY;
  const until = seen.validTo.toISOString().slice(0, 10);
  if (seen.error === "CERT_HAS_EXPIRED" || days < 0) {
    return fail(
      `the certificate ended on ${until}`,
      "renew it; the proxy has to be reloaded after a renewal",
    );
  }
  if (seen.error === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return fail(
      `the certificate is for ${seen.names || "no name"}, not for ${host}`,
      `get one that names ${host}`,
    );
  }
  if (seen.error !== undefined) return untrusted(seen);
  const lifetime = (seen.validTo.getTime() - seen.validFrom.getTime()) / DAY;
  // Renewal is due with a third of the life left; later than a quarter (at most a week) it has not happened.
  if (days < Math.min(7, lifetime / 4)) {
    return fail(
      `the certificate ends on ${until} and has not been renewed`,
      "look at the renewal's timer and log",
    );
  }
  const due = days <= lifetime / 3 ? ` (less than a third of its lifetime: renew it)` : "";
  return pass(`${seen.names}, by ${seen.issuer}, until ${until}${due}, ${seen.protocol}`);
}

function untrusted(seen: Handshake): Finding {
  const incomplete = [
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "UNABLE_TO_GET_ISSUER_CERT",
  ];
  if (incomplete.includes(seen.error ?? "")) {
    return fail(
      `the chain does not lead to a known authority (issuer ${seen.issuer})`,
      "serve the full chain (fullchain.pem, not cert.pem); with an authority of your own, name it in verification.caFile",
    );
  }
  return fail(
    `the certificate is not trusted: ${seen.error} (issuer ${seen.issuer})`,
    "get one from a public authority; with an authority of your own, name it in verification.caFile",
  );
}

function handshake(
  host: string,
  port: number,
  resolve: Resolve,
  secureContext: tls.SecureContext | undefined,
): Promise<Handshake> {
  return new Promise((settle, reject) => {
    const socket = tls.connect({
      host,
      port,
      servername: host,
      lookup: lookup(resolve),
      secureContext,
      rejectUnauthorized: false,
      timeout: TIMEOUT,
    });
    socket.on("timeout", () => socket.destroy(new Error("no answer")));
    socket.on("error", (error) => reject(new Error(reason(error))));
    socket.on("secureConnect", () => {
      const certificate = socket.getPeerCertificate();
      settle({
        error: socket.authorized ? undefined : String(socket.authorizationError),
        names: (certificate.subjectaltname ?? "").replaceAll("DNS:", ""),
        issuer: String(certificate.issuer?.O ?? certificate.issuer?.CN ?? "unknown"),
        validFrom: new Date(certificate.valid_from),
        validTo: new Date(certificate.valid_to),
        protocol: socket.getProtocol() ?? "",
      });
      socket.destroy();
    });
  });
}
