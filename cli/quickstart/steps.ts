/** The output for steps. */
export interface Screen {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/**
 * Shows the steps of a long run with their times and keeps the times. On a terminal the current step is one line that is updated;
 * elsewhere each step has a line at its start, one for each new detail and one at its end.
 */
export class Steps {
  /** Seconds per finished step, in order. */
  readonly timings: Record<string, number> = {};

  constructor(private readonly screen: Screen = process.stderr) {}

  /**
   * Runs a step. `key` names it in the timings; `title` is shown to the user. `work` gets `note`, which sets the detail
   * of one part (for example of the first server) or, without text, clears it.
   */
  async run<T>(
    key: string,
    title: string,
    work: (note: (part: string, text?: string) => void) => Promise<T>,
  ): Promise<T> {
    const started = performance.now();
    const elapsed = () => (performance.now() - started) / 1000;
    const details = new Map<string, string>();
    const terminal = this.screen.isTTY === true;
    const show = () => this.showLive(title, elapsed(), details);
    const timer = terminal ? setInterval(show, 250) : undefined;
    const note = (part: string, text?: string) => {
      if (text) details.set(part, text);
      else details.delete(part);
      if (terminal) show();
      else if (text) this.screen.write(`  ${time(elapsed())}  ${part}: ${text}\n`);
    };
    if (!terminal) this.screen.write(`${title} ...\n`);
    try {
      const result = await work(note);
      this.timings[key] = Math.round(elapsed() * 10) / 10;
      this.end(timer, `${title}: ${time(elapsed()).trim()}`);
      return result;
    } catch (error) {
      this.end(timer, `${title}: failed after ${time(elapsed()).trim()}`);
      throw error;
    }
  }

  private showLive(title: string, seconds: number, details: ReadonlyMap<string, string>): void {
    const parts = [...details].map(([part, text]) => `${part}: ${text}`).join(" | ");
    const line = `${time(seconds)}  ${title}${parts && ` – ${parts}`}`;
    this.screen.write(`\r\x1b[K${line.slice(0, (this.screen.columns ?? 80) - 1)}`);
  }

  private end(timer: NodeJS.Timeout | undefined, line: string): void {
    clearInterval(timer);
    this.screen.write(`${this.screen.isTTY ? "\r\x1b[K" : ""}${line}\n`);
  }
}

function time(seconds: number): string {
  return `${seconds.toFixed(1).padStart(5)} s`;
}
