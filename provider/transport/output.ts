import { StringDecoder } from "node:string_decoder";

/** Largest answer: a Release of a few hundred files, all edited by hand, stays far below. */
const STDOUT_LIMIT = 64 << 20;
/** Only the end of standard error, and of what stands outside of the marks, is kept. */
const SAID_LIMIT = 64 << 10;

/** How far an answer between marks came. */
export type Came = "nothing" | "begun" | "whole";

/**
 * What a process wrote, within limits. With a mark, the answer is what stands between a line `MARK` and a line `MARK STATUS`;
 * everything before and after it is noise: a greeting in a shell's start files, say.
 */
export class Output {
  came: Came = "nothing";
  /** The program's own exit status, once its answer is whole. */
  status = 0;
  private size = 0;
  private partial = "";
  private readonly lines: string[] = [];
  /** The empty line before the second mark is the mark's own. */
  private held = false;
  private noise = "";
  private errors = "";
  private readonly decoder = new StringDecoder("utf8");
  private readonly errorDecoder = new StringDecoder("utf8");

  constructor(
    private readonly mark?: string,
    private readonly onLine?: (line: string) => void,
  ) {
    if (mark === undefined) this.came = "begun";
  }

  /** False when there is more than anybody asked for. */
  add(chunk: Buffer): boolean {
    this.size += chunk.length;
    if (this.size > STDOUT_LIMIT) return false;
    const lines = (this.partial + this.decoder.write(chunk)).split("\n");
    this.partial = lines.pop() ?? "";
    for (const line of lines) this.take(line);
    return true;
  }

  addError(chunk: Buffer): void {
    this.errors = (this.errors + this.errorDecoder.write(chunk)).slice(-SAID_LIMIT);
  }

  finish(problem?: string): { stdout: string; stderr: string; outside: string } {
    const rest = this.came === "begun" ? [...(this.held ? [""] : []), this.partial] : [""];
    const stdout = [...this.lines, ...rest].join("\n");
    const outside = this.came === "begun" ? this.noise : this.noise + this.partial;
    return { stdout, stderr: this.errors + (problem ?? ""), outside };
  }

  private take(line: string): void {
    if (this.came === "begun") this.inside(line);
    // A shell's greeting may have no end of line of its own.
    else if (this.came === "nothing" && this.mark !== undefined && line.endsWith(this.mark)) {
      this.came = "begun";
      this.noise += line.slice(0, -this.mark.length);
    } else this.noise = `${this.noise}${line}\n`.slice(-SAID_LIMIT);
  }

  private inside(line: string): void {
    if (this.mark !== undefined && line.startsWith(`${this.mark} `)) {
      this.came = "whole";
      this.status = Number(line.slice(this.mark.length + 1));
      return;
    }
    if (this.held) this.keep("");
    this.held = line === "";
    if (!this.held) this.keep(line);
  }

  private keep(line: string): void {
    this.lines.push(line);
    this.onLine?.(line);
  }
}
