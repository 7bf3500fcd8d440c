/**
 * What may be shown and what may be typed: the two ways in which a text of somebody else's can do harm without being run by
 * us. Knows neither hosts nor stack files; program and provider both use it.
 */

/**
 * C0 and C1 control characters, line separators, and characters that turn the direction of writing: a terminal obeys them
 * instead of showing them, so that lines can be erased, forged or read backwards.
 */
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for here
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", "\r": "\\r" };

function escaped(character: string): string {
  return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** A text of one line with everything visible that a terminal would obey: `\n`, `\u001b`. */
export function visible(text: string): string {
  return text.replace(HIDDEN, escaped);
}

/** {@link visible} for a text of several lines (a file, a message): line breaks and tabs stay. */
export function visibleLines(text: string): string {
  return text.replace(HIDDEN, (character) =>
    character === "\n" || character === "\t" ? character : escaped(character),
  );
}

/** One word of a command that a reader may paste into a shell: whatever it holds, it stays one word and runs nothing. */
export function shellWord(word: string): string {
  if (/^[\w./@%+=,-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

const UNITS = [
  [86_400, "day"],
  [3600, "hour"],
  [60, "minute"],
] as const;

/** Seconds that have passed, for people: `3 days ago`. */
export function ago(seconds: number): string {
  const [size, name] = UNITS.find(([unit]) => seconds >= unit) ?? ([1, "second"] as const);
  const count = Math.max(0, Math.floor(seconds / size));
  return `${count} ${name}${count === 1 ? "" : "s"} ago`;
}
