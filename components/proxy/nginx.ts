import { isAtLeast } from "../../config-schemas/language/common";

/** From this version on, HTTP/2 has its own directive instead of an option of `listen`. */
const HTTP2_DIRECTIVE_SINCE = "1.25.1";

/**
 * `listen` lines for one port with TLS and HTTP/2, in the form that this version of nginx accepts.
 * @param host the host's version of nginx, e.g. `1.26.3`, and whether it has IPv6
 */
export function listen(host: { nginx: string; ipv6: boolean }, port: number, suffix = ""): string[] {
  const modern = isAtLeast(host.nginx, HTTP2_DIRECTIVE_SINCE);
  const options = `${modern ? "ssl" : "ssl http2"}${suffix}`;
  return [...listenPlain(host, port, ` ${options}`), ...(modern ? ["http2 on;"] : [])];
}

/** `listen` lines for one port on all addresses. Without IPv6 on the host, nginx would not start with `[::]`. */
export function listenPlain({ ipv6 }: { ipv6: boolean }, port: number, options = ""): string[] {
  return [`listen ${port}${options};`, ...(ipv6 ? [`listen [::]:${port}${options};`] : [])];
}

/** Answers plain HTTP. */
export const REDIRECT = "return 301 https://$host$request_uri;";

/** A block directive with indented lines. */
export function block(head: string, lines: readonly string[]): string[] {
  return [`${head} {`, ...lines.map((line) => (line === "" ? "" : `    ${line}`)), "}"];
}

/** A text for nginx: quoted, and without variables. */
export function quoted(text: string): string {
  if (text.includes("$")) throw new Error(`nginx would read $ in ${text} as a variable`);
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** A complete configuration file; the comment states its purpose. */
export function file(comment: string, lines: readonly string[]): string {
  return [`# ${comment}`, ...lines, ""].join("\n");
}
