import type { CheckResult } from "../../provider/contract/matrix";
import { visible } from "../../provider/text";

/** The look of the table: colours, and the terminal's width in columns (undefined: lines are not wrapped). */
export interface Style {
  colour: boolean;
  width?: number;
}

const WORDS = { pass: "ok", fail: "FAIL", "not checked": "-" } as const;
const COLOURS = { pass: 32, fail: 31, "not checked": 33 } as const;
const MARK_WIDTH = 4;
/** Below this width the text is not wrapped, to avoid a column of single words. */
const LEAST_TEXT_WIDTH = 24;

/** The results for a reader: one line for each, the fix below a failed check, the verdict last. */
export function table(serverName: string, results: CheckResult[], style: Style): string {
  const nameWidth = Math.max(...results.map((result) => result.check.length), 0);
  const lines = results.flatMap((result) => row(result, nameWidth, style));
  return [...lines, "", verdict(serverName, results), ""].join("\n");
}

function row({ check, result, seen, fix }: CheckResult, nameWidth: number, style: Style): string[] {
  const word = WORDS[result].padEnd(MARK_WIDTH);
  const mark = style.colour ? `\u001b[${COLOURS[result]}m${word}\u001b[0m` : word;
  const indent = MARK_WIDTH + 1 + nameWidth + 2;
  const room = style.width === undefined ? Number.POSITIVE_INFINITY : style.width - indent;
  const width = room < LEAST_TEXT_WIDTH ? Number.POSITIVE_INFINITY : room;
  const text = [...wrapped(seen, width), ...(fix === "" ? [] : wrapped(`fix: ${fix}`, width))].map(visible);
  return text.map((line, index) =>
    index === 0 ? `${mark} ${check.padEnd(nameWidth)}  ${line}`.trimEnd() : " ".repeat(indent) + line,
  );
}

/** Wraps words into as few lines as possible; a word that is longer than the width stays whole. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function verdict(serverName: string, results: CheckResult[]): string {
  const count = (kind: CheckResult["result"]) => results.filter((result) => result.result === kind).length;
  const open = count("not checked") > 0 ? `, ${count("not checked")} not checked` : "";
  return `${serverName}: ${count("pass")} passed, ${count("fail")} failed${open}`;
}
