import type { CallFile } from "../../transport/bootstrap";

// How a request is written, see PROTOCOL.md.

/** Program and arguments, one a line. */
export function argvFile(name: string, argv: string[]): CallFile {
  return { name: `request/argv/${name}`, content: lines(argv) };
}

/** Rows of tab-separated columns. */
export function table(name: string, rows: string[][]): CallFile {
  return { name: `request/${name}`, content: lines(rows.map((row) => row.join("\t"))) };
}

/** Items, one a line. */
export function lines(items: string[]): string {
  return items.map((item) => `${item}\n`).join("");
}
