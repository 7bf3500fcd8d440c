import { z } from "zod";

/**
 * Shapes that several schemas share. Values stay as written (`14d`, `100M`); the pure helpers below each shape convert them
 * to numbers. A shape's message says what is allowed and follows the value in the fault: "... is not <message>".
 */

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 } as const;
const BYTES = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 } as const;

/** A length of time: a whole number and `s`, `m` (minutes), `h`, `d`, `w` or `y` (365 days). */
export const duration = z
  .string()
  .regex(
    /^[1-9][0-9]{0,8}[smhdwy]$/,
    "a duration: a whole number from 1 to 999999999 and s, m (minutes), h, d, w or y, e.g. 14d",
  )
  .meta({ title: "duration" });

/** A number of bytes in powers of 1024: a whole number and `K`, `M`, `G` or `T`. */
export const size = z
  .string()
  .regex(/^[1-9][0-9]{0,8}[KMGT]$/, "a size: a whole number from 1 to 999999999 and K, M, G or T, e.g. 100M")
  .meta({ title: "size" });

/** A time in whole days, e.g. `14d`. */
export const days = z
  .string()
  .regex(/^[1-9][0-9]{0,4}d$/, "a number of days from 1d to 99999d, e.g. 14d")
  .meta({ title: "days" });

/** Seconds of a {@link duration}. */
export function parseDuration(text: string): number {
  const unit = text.slice(-1) as keyof typeof SECONDS;
  return Number(text.slice(0, -1)) * SECONDS[unit];
}

/** Bytes (or other units, for example pixels) of a {@link size}. */
export function parseSize(text: string): number {
  const unit = text.slice(-1) as keyof typeof BYTES;
  return Number(text.slice(0, -1)) * BYTES[unit];
}

/** Whether a version such as `1.26.3` equals `least` or is newer. Text after a number (`2rc1`) is ignored. */
export function isAtLeast(version: string, least: string): boolean {
  const have = version.split(".");
  for (const [index, part] of least.split(".").entries()) {
    const [own, wanted] = [have[index] ?? "0", part].map((text) => Number.parseInt(text, 10));
    if (own !== wanted) return (own ?? 0) > (wanted ?? 0);
  }
  return true;
}

/** A port in a name or URL, with its colon. */
export const PORT =
  ":(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
export const DNS_NAME = `(?=.{1,253}(?::|$))(?:${LABEL}\\.)+(?=[a-z0-9-]*[a-z])${LABEL}`;

/** A DNS name as users and certificates write it. Only the first broken rule is reported. */
function dnsNameShape(kind: string) {
  return z
    .string()
    .regex(/^(?![A-Za-z][A-Za-z0-9+.-]*:\/\/)/, {
      message: `${kind}: leave out the scheme (https://) and any path`,
      abort: true,
    })
    .regex(/^[^A-Z]*$/, { message: `${kind}: use lower case only`, abort: true })
    .regex(/^(?!\d+(?:\.\d+){3}(?::\d+)?$)(?!\[)(?!.*:.*:)/, {
      message: `${kind}: write a name; an IP address has no certificate and cannot move to another host`,
      abort: true,
    })
    .regex(/^[^:]*$/, { message: `${kind}: leave out the port`, abort: true })
    .regex(
      new RegExp(`^${DNS_NAME}$`),
      `${kind}: a full DNS name, two or more parts of a to z, digits and - with dots between them, e.g. example.org`,
    );
}

/** The part after the colon of this server's user IDs. */
export const ownServerName = dnsNameShape("a server name").meta({ title: "server name" });

/** A public host name, e.g. `matrix.example.org`. */
export const dnsName = dnsNameShape("a host name").meta({ title: "host name" });

/** The name of another server, with a port if it has one. */
export const remoteServerName = z
  .string()
  .regex(
    new RegExp(`^${DNS_NAME}(?:${PORT})?$`),
    "a server name: a full DNS name in lower case, with its port if it has one, e.g. matrix.org",
  )
  .meta({ title: "server name" });

/** Name of a host within the stack file; resources and releases are named after it. */
export const hostName = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,30}$/,
    "a host's name in this file: at most 31 lower-case letters, digits and -, starting with a letter, e.g. vps",
  )
  .meta({ title: "name of a host" });

/** A TCP port. */
export const port = z.int().min(1).max(65_535).meta({ title: "port" });

/** An IPv4 or IPv6 address. */
export const ipAddress = z
  .union([z.ipv4(), z.ipv6()], { error: "an IPv4 or IPv6 address, e.g. 192.0.2.1" })
  .meta({ title: "address" });

/** Where a host is reached: a DNS name or an address. */
export const nameOrAddress = z
  .union([dnsName, ipAddress], { error: "a DNS name or an IP address, e.g. edge.example.org" })
  .meta({ title: "name or address" });

/** A range of addresses. */
export const cidr = z
  .union([z.cidrv4(), z.cidrv6()], {
    error: "an address range, e.g. 192.0.2.0/24 or 2001:db8::/32",
  })
  .meta({ title: "address range" });

/** A file on the operator's own machine: absolute, `~/…`, or relative to the project directory. */
export const localFile = z
  .string()
  .regex(
    /^[^\0\n\r]*[^\0\n\r/]$/,
    "a file path: one line without / at its end, e.g. ./secrets/tls/privkey.pem",
  )
  .meta({ title: "file" });

/** The local part of a user ID. Stricter than Matrix, so that it is a valid file name and differs from Synapse's guest accounts. */
export const localpart = z
  .string()
  .regex(
    /^(?!\d+$)[a-z0-9][a-z0-9._=+-]{0,200}$/,
    "the local part of a user ID: at most 201 lower-case letters, digits and . _ = + -, starting with a letter or digit, not only digits, without @ and server, e.g. alice",
  )
  .meta({ title: "local part" });

/** An https URL without path, e.g. `https://matrix.example.org`. */
export const httpsUrl = z
  .string()
  .regex(
    new RegExp(`^https://${DNS_NAME}(?:${PORT})?$`),
    "an https URL with a full DNS name in lower case, without path or / at its end, e.g. https://matrix.org",
  )
  .meta({ title: "URL" });

/** A container image by its full name, pinned: with registry, and with tag or digest. */
export const imageName = z
  .string()
  .regex(
    /^(?=[^/]*[.:][^/]*\/)[a-z0-9][a-z0-9.-]*(?::[1-9][0-9]*)?(?:\/[a-z0-9][a-z0-9._-]*)+(?=[:@])(?!:latest)(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/,
    "a container image: full name in lower case with registry (a name with a dot or a port), and a version or digest (not latest), e.g. docker.io/library/postgres:17.6",
  )
  .meta({ title: "container image" });

/** Text of one line. */
export const line = z.string().regex(/^[^\0\n\r]+$/, "a line of text");
