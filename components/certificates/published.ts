import { endOf, isDue, type Validity } from "./lifetime";

/** What the host says about the certificate that it renews itself. */
export interface HostCertificate extends Validity {
  /** SHA-256 of the certificate. */
  fingerprint: string;
  /** The last try that failed, and why; undefined: the last one did not fail. */
  failure?: { at: string; reason: string };
}

const LINE = /^([0-9a-f]{64}) (\S+Z) (\S+Z) (?:ok|failed (\S+Z) (.*))$/;

/** Reads the line that `certificate.py publish` prints; undefined: it is not such a line. */
export function hostCertificate(line: string): HostCertificate | undefined {
  const [, fingerprint, from, to, at, reason] = LINE.exec(line) ?? [];
  if (fingerprint === undefined || from === undefined || to === undefined) return undefined;
  return {
    ...{ fingerprint, from: new Date(from), to: new Date(to) },
    ...(at === undefined || reason === undefined ? {} : { failure: { at, reason } }),
  };
}

/** A warning for a certificate that the host did not renew in time, or could not renew at its last try. */
export function renewalWarning(line: string, host: string, unit: string, now: Date): string | undefined {
  const certificate = hostCertificate(line);
  if (certificate === undefined) return undefined;
  const { failure } = certificate;
  if (failure === undefined && !isDue(certificate, now)) return undefined;
  const what =
    failure === undefined
      ? "less than a third of the certificate's lifetime is left, and it has not been renewed"
      : `the certificate could not be renewed at ${failure.at}: ${failure.reason}`;
  return [
    what,
    `  now: the old certificate is in use, and expires ${endOf(certificate, now)}`,
    `  fix: the host tries again twice a day; to try at once: systemctl start ${unit} on ${host}, and read journalctl -u ${unit}`,
  ].join("\n");
}
