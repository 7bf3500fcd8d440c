/** Text of systemd's and Quadlet's files, in which no value can become anything else than itself. */

/** Options of a section in their order; an option may stand there several times. */
export type Option = readonly [key: string, value: string | number | boolean];
export type Section = readonly [name: string, options: readonly Option[]];

export const NAME = /^[a-z0-9][a-z0-9._-]*$/;
export const IMAGE =
  /^[a-z0-9][a-z0-9.:-]*(\/[a-z0-9][a-z0-9._-]*)+(:[A-Za-z0-9_][A-Za-z0-9._-]*)?(@sha256:[0-9a-f]{64})?$/;
/** No blank, comma, colon, `%` or `$`: they part the fields of a mount, or mean something to systemd. */
export const PATH = /^\/[A-Za-z0-9._/@+-]*$/;
export const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
export const ADDRESS = /^[0-9a-f.:]+$/;

/** The value, when it has the shape. @throws Error when not */
export function safe(value: string, shape: RegExp): string {
  if (!shape.test(value)) throw new Error(`${JSON.stringify(value)} cannot stand in a unit of a container`);
  return value;
}

/** Text for people: one line, in which systemd replaces nothing. */
export function text(value: string): string {
  if (value.endsWith("\\")) throw new Error(`${JSON.stringify(value)} would go on in the next line`);
  return oneLine(value);
}

function oneLine(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused.
  if (/[\u0000-\u001f\u007f]/.test(value))
    throw new Error(`${JSON.stringify(value)} is not one line of text`);
  return value.replaceAll("%", "%%");
}

/** What reaches a program's arguments: systemd replaces variables in there too. */
export function literal(value: string): string {
  return oneLine(value).replaceAll("$", "$$$$");
}

/** One word of a command line. */
export function word(value: string): string {
  if (value === "") throw new Error("Quadlet loses an empty word and all that follow: leave it out");
  const escaped = literal(value).replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}

/** The file, with a head that says what it is for. */
export function render(purpose: string, sections: readonly Section[]): string {
  const blocks = sections.map(([name, options]) => [`[${name}]`, ...options.map(line), ""].join("\n"));
  return [`# Written by Hearth: ${purpose}.`, "", ...blocks].join("\n");
}

function line([key, value]: Option): string {
  return `${key}=${value}`;
}
