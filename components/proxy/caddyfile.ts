/** A line of a Caddyfile: a directive and its arguments, quoted if necessary. */
export function directive(name: string, ...words: readonly (string | number)[]): string {
  return [name, ...words.map((word) => quoted(String(word)))].join(" ");
}

/** A directive, a site or a matcher with indented lines; an empty head means the global block. */
export function block(head: string, lines: readonly string[]): string[] {
  const opening = head === "" ? "{" : `${head} {`;
  return [opening, ...lines.map((line) => (line === "" ? "" : `\t${line}`)), "}"];
}

/** A complete Caddyfile; the comment states its purpose. */
export function file(comment: string, lines: readonly string[]): string {
  return [`# ${comment}`, ...lines, ""].join("\n");
}

/** Caddy's placeholders that Hearth uses. */
const PLACEHOLDERS = ["{client_ip}", "{http.request.orig_uri}"];

/**
 * One word of a Caddyfile.
 * @throws Error for a text with a line break or backquote, or in which Caddy would replace a part
 */
function quoted(text: string): string {
  if (PLACEHOLDERS.includes(text)) return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this pattern finds the characters to refuse.
  if (/[\u0000-\u001f`]/.test(text))
    throw new Error(`${JSON.stringify(text)} cannot be written as a word of a Caddyfile`);
  // Caddy reads a text in braces as a placeholder, except JSON with its quotation marks.
  if (/\{[^"{}]+\}/.test(text)) throw new Error(`Caddy would read the braces in ${text} as a placeholder`);
  return /^[A-Za-z0-9_./:@^*+-]+$/.test(text) ? text : `\`${text}\``;
}
