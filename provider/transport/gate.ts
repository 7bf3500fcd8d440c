/** Lets at most so many tasks run at the same time; the others wait in line. */
export class Gate {
  private inside = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private width: number) {}

  async through<T>(task: () => Promise<T>): Promise<T> {
    if (this.inside >= this.width) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.inside += 1;
    try {
      return await task();
    } finally {
      const next = this.inside <= this.width ? this.waiting.shift() : undefined;
      // The next one takes this place, so no other can.
      if (next) next();
      else this.inside -= 1;
    }
  }

  /** From now on at most so many, and always one. Those that are through already are not stopped. */
  narrow(width: number): void {
    this.width = Math.max(1, Math.min(this.width, width));
  }
}
