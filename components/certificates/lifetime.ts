import { X509Certificate } from "node:crypto";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** From when to when a certificate is valid. */
export interface Validity {
  from: Date;
  to: Date;
}

/** The validity of the first certificate in a PEM text. */
export function validityOf(certificate: string): Validity {
  const { validFrom, validTo } = new X509Certificate(certificate);
  return { from: new Date(validFrom), to: new Date(validTo) };
}

/** Whether only a third of the lifetime is left: the time to renew, for certificates of 6 days and of a year alike. */
export function isDue({ from, to }: Validity, now: Date): boolean {
  return to.getTime() - now.getTime() <= (to.getTime() - from.getTime()) / 3;
}

/** For people: `in 12 days (2026-12-09)`. */
export function endOf({ to }: Validity, now: Date): string {
  const left = to.getTime() - now.getTime();
  const time = left < 2 * DAY ? `${Math.floor(left / HOUR)} hours` : `${Math.floor(left / DAY)} days`;
  return `in ${time} (${to.toISOString().slice(0, 10)})`;
}

/** A warning for the operator's certificate once it should be renewed; loading the stack file refuses an expired one. */
export function endWarning(certificate: string, now: Date): string | undefined {
  const validity = validityOf(certificate);
  if (!isDue(validity, now)) return undefined;
  return `the certificate expires ${endOf(validity, now)}; less than a third of its lifetime is left\n  fix: renew it, replace the files with the new ones, and run \`pulumi up\`; or let the host renew it: hearth:certificates.source: acme`;
}
