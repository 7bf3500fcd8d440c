import { isAtLeast } from "../../config-schemas/common";

/** From this version on, HTTP/2 is switched on apart from `listen`. */
const HTTP2_DIRECTIVE_SINCE = "1.25.1";

/**
 * `listen` lines for one port with TLS and HTTP/2, in the form that this nginx takes.
 * @param nginx its version, e.g. `1.26.3`
 */
export function listen(nginx: string, port: number, suffix = ""): string[] {
  const modern = isAtLeast(nginx, HTTP2_DIRECTIVE_SINCE);
  const options = `${modern ? "ssl" : "ssl http2"}${suffix}`;
  return [`listen ${port} ${options};`, `listen [::]:${port} ${options};`, ...(modern ? ["http2 on;"] : [])];
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
