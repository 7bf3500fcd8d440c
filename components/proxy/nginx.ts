import { isAtLeast } from "../../config-schemas/language/common";

/** From this version on, HTTP/2 is switched on apart from `listen`. */
const HTTP2_DIRECTIVE_SINCE = "1.25.1";

/**
 * `listen` lines for one port with TLS and HTTP/2, in the form that this nginx takes.
 * @param host its version of nginx, e.g. `1.26.3`, and whether it has IPv6
 */
export function listen(host: { nginx: string; ipv6: boolean }, port: number, suffix = ""): string[] {
  const modern = isAtLeast(host.nginx, HTTP2_DIRECTIVE_SINCE);
  const options = `${modern ? "ssl" : "ssl http2"}${suffix}`;
  return [...listenPlain(host, port, ` ${options}`), ...(modern ? ["http2 on;"] : [])];
}

/** `listen` lines for one port, on all addresses that the host has: nginx does not start when it cannot listen. */
export function listenPlain({ ipv6 }: { ipv6: boolean }, port: number, options = ""): string[] {
  return [`listen ${port}${options};`, ...(ipv6 ? [`listen [::]:${port}${options};`] : [])];
}

/** A block directive with its lines indented. */
export function block(head: string, lines: readonly string[]): string[] {
  return [`${head} {`, ...lines.map((line) => (line === "" ? "" : `    ${line}`)), "}"];
}

/** A text as nginx takes it: quoted, and free of variables. */
export function quoted(text: string): string {
  if (text.includes("$")) throw new Error(`nginx would take $ in ${text} for a variable`);
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** A whole configuration file; the comment says what it is for. */
export function file(comment: string, lines: readonly string[]): string {
  return [`# ${comment}`, ...lines, ""].join("\n");
}
