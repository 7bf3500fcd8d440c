/** Writes files of systemd and Quadlet, and makes sure that they read each value as it is. */

/** The options of a section in their order; an option can occur several times. */
export type Option = readonly [key: string, value: string | number | boolean];
export type Section = readonly [name: string, options: readonly Option[]];

export const NAME = /^[a-z0-9][a-z0-9._-]*$/;
export const IMAGE =
  /^[a-z0-9][a-z0-9.:-]*(\/[a-z0-9][a-z0-9._-]*)+(:[A-Za-z0-9_][A-Za-z0-9._-]*)?(@sha256:[0-9a-f]{64})?$/;
/** No space, comma, colon, `%` or `$`: they separate the fields of a mount, or have a meaning for systemd. */
export const PATH = /^\/[A-Za-z0-9._/@+-]*$/;
export const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
export const ADDRESS = /^[0-9a-f.:]+$/;

/** Returns the value if it matches the pattern. @throws Error if it does not */
export function safe(value: string, shape: RegExp): string {
  if (!shape.test(value))
    throw new Error(`${JSON.stringify(value)} is not allowed in the unit of a container`);
  return value;
}

/** One line of text for people, in which systemd replaces nothing. */
export function text(value: string): string {
  if (value.endsWith("\\")) throw new Error(`${JSON.stringify(value)} would continue on the next line`);
  return oneLine(value);
}

function oneLine(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this pattern finds the characters to refuse.
  if (/[\u0000-\u001f\u007f]/.test(value))
    throw new Error(`${JSON.stringify(value)} is not one line of text`);
  return value.replaceAll("%", "%%");
}

/** A text in a program's arguments, where systemd also replaces variables. */
export function literal(value: string): string {
  return oneLine(value).replaceAll("$", "$$$$");
}

/** One word of a command line. */
export function word(value: string): string {
  if (value === "")
    throw new Error("Quadlet loses an empty word and all words after it; fix: leave the word out");
  const escaped = literal(value).replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}

/** The whole file; its first line states its purpose. */
export function render(purpose: string, sections: readonly Section[]): string {
  const blocks = sections.map(([name, options]) => [`[${name}]`, ...options.map(line), ""].join("\n"));
  return [`# Written by Hearth: ${purpose}.`, "", ...blocks].join("\n");
}

function line([key, value]: Option): string {
  return `${key}=${value}`;
}
