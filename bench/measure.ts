/** Wall-clock seconds of one call. */
export async function timed(call: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await call();
  return (performance.now() - started) / 1000;
}

/** The middle value; for an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [
    sorted[Math.floor((sorted.length - 1) / 2)],
    sorted[Math.ceil((sorted.length - 1) / 2)],
  ];
  if (low === undefined || high === undefined) throw new Error("the median of nothing");
  return (low + high) / 2;
}

/** A measured row: its description, and the seconds of each repetition. */
export interface Row {
  /** Rows with the same subject are compared with each other. */
  subject: string;
  who: string;
  seconds: number[];
}

/** A table of medians; the last column is each row's time over that of the first row with its subject. */
export function renderTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => {
    const first = rows.find((other) => other.subject === row.subject) ?? row;
    const own = median(row.seconds);
    const range = `${Math.min(...row.seconds).toFixed(2)}–${Math.max(...row.seconds).toFixed(2)}`;
    return [row.subject, row.who, own.toFixed(2), range, `${(own / median(first.seconds)).toFixed(1)}×`];
  });
  const table = [["what", "tool", "median s", "range s", "ratio"], ...cells];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  const lines = table.map((line) =>
    line.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join("  "),
  );
  return `${[lines[0], widths.map((width) => "-".repeat(width)).join("  "), ...lines.slice(1)].join("\n")}\n`;
}

function pad(cell: string, width: number, column: number): string {
  return column < 2 ? cell.padEnd(width) : cell.padStart(width);
}
