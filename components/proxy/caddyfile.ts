/** A line of a Caddyfile: a directive and its arguments, each quoted where it has to be. */
export function directive(name: string, ...words: readonly (string | number)[]): string {
  return [name, ...words.map((word) => quoted(String(word)))].join(" ");
}

/** A directive, a site or a matcher with its lines indented; an empty head is the global block. */
export function block(head: string, lines: readonly string[]): string[] {
  const opening = head === "" ? "{" : `${head} {`;
  return [opening, ...lines.map((line) => (line === "" ? "" : `\t${line}`)), "}"];
}

/** A whole Caddyfile; the comment says what it is for. */
export function file(comment: string, lines: readonly string[]): string {
  return [`# ${comment}`, ...lines, ""].join("\n");
}

/** Placeholders of Caddy's that texts of ours name on purpose. */
const PLACEHOLDERS = ["{client_ip}", "{http.request.orig_uri}"];

/**
 * A word as Caddy takes it.
 * @throws Error for a text with a line break or backquote, or that Caddy would replace parts of
 */
function quoted(text: string): string {
  if (PLACEHOLDERS.includes(text)) return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused.
  if (/[\u0000-\u001f`]/.test(text)) throw new Error(`${JSON.stringify(text)} is no word of a Caddyfile`);
  // What is in braces Caddy may take for a placeholder; a JSON text with its quotation marks it does not.
  if (/\{[^"{}]+\}/.test(text)) throw new Error(`Caddy would take braces in ${text} for a placeholder`);
  return /^[A-Za-z0-9_./:@^*+-]+$/.test(text) ? text : `\`${text}\``;
}
