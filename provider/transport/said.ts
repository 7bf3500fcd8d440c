import { visible } from "../text";

/** Lines of somebody else's words that a message shows. */
const LINES_SAID = 10;

/** Lines of what somebody else wrote, for a message: without empty ones, and with nothing that a terminal would obey. */
export function said(...texts: string[]): string[] {
  return texts
    .flatMap((text) => text.split(/[\r\n]+/))
    .map((line) => visible(line.trim()))
    .filter((line) => line !== "")
    .slice(-LINES_SAID);
}

export function lastLine(text: string): string {
  return said(text).at(-1) ?? "it said nothing";
}

export function firstLine(text: string): string {
  return said(text)[0] ?? "it said nothing";
}
