import { spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";

export interface ProcessOptions {
  input?: Buffer;
  /** Called for every complete line of standard output, without its end. */
  onLine?: (line: string) => void;
  signal: AbortSignal;
  timeoutSeconds: number;
}

export interface ProcessResult {
  /** Exit status; 128 + n when signal n ended it, -1 when the program could not be started. */
  status: number;
  stdout: string;
  stderr: string;
  /** Why it was ended by us. */
  ended?: "aborted" | "timeout" | "too much output";
}

/** Largest answer: a Release of a few hundred files, all edited by hand, stays far below. */
const STDOUT_LIMIT = 64 << 20;
/** Only the end of standard error is kept. */
const STDERR_LIMIT = 64 << 10;
/** How long streams may stay open, silent, after the process is gone (ssh leaves its shared connection behind). */
const DRAIN_MS = 300;

/** Process groups that run now. */
const groups = new Set<number>();
// Whoever ends us before a program has ended leaves nothing running here; the host goes on by itself.
process.on("exit", () => {
  for (const group of groups) killGroup(group);
});

/** Runs a local program in a process group of its own, so that a Ctrl-C in the terminal reaches us and not it. */
export function runProcess(argv: string[], options: ProcessOptions): Promise<ProcessResult> {
  return new Promise((resolve) => {
    const [program = "", ...args] = argv;
    const child = spawn(program, args, {
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C" },
    });
    if (child.pid !== undefined) groups.add(child.pid);
    const output = new Output(options.onLine);
    let ended: ProcessResult["ended"];
    let settled = false;
    let drain: NodeJS.Timeout | undefined;

    const end = (why: NonNullable<ProcessResult["ended"]>) => {
      ended ??= why;
      killGroup(child.pid);
    };
    const onAbort = () => end("aborted");
    const timer = setTimeout(() => end("timeout"), options.timeoutSeconds * 1000);
    const settle = (status: number, problem?: string) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      clearTimeout(drain);
      options.signal.removeEventListener("abort", onAbort);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ status, ...output.finish(problem), ended });
    };
    child.on("exit", () => {
      if (child.pid !== undefined) groups.delete(child.pid);
    });
    const status = () => child.exitCode ?? 128 + signalNumber(child.signalCode);
    const drainLater = () => {
      clearTimeout(drain);
      if (child.exitCode !== null || child.signalCode !== null)
        drain = setTimeout(() => settle(status()), DRAIN_MS);
    };

    child.on("error", (error) => settle(-1, error.message));
    child.on("exit", drainLater);
    child.on("close", () => settle(status()));
    child.stdout.on("data", (chunk: Buffer) => {
      if (!output.add(chunk)) end("too much output");
      drainLater();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      output.addError(chunk);
      drainLater();
    });
    // A program that ends before it has read everything says why on standard error.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input);
    if (options.signal.aborted) onAbort();
    else options.signal.addEventListener("abort", onAbort);
  });
}

/** What a process wrote, within limits. */
class Output {
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private errors = "";
  private partial = "";
  private readonly decoder = new StringDecoder("utf8");
  private readonly errorDecoder = new StringDecoder("utf8");

  constructor(private readonly onLine?: (line: string) => void) {}

  /** False when there is more than anybody asked for. */
  add(chunk: Buffer): boolean {
    this.size += chunk.length;
    if (this.size > STDOUT_LIMIT) return false;
    this.chunks.push(chunk);
    if (this.onLine) {
      const lines = (this.partial + this.decoder.write(chunk)).split("\n");
      this.partial = lines.pop() ?? "";
      for (const line of lines) this.onLine(line);
    }
    return true;
  }

  addError(chunk: Buffer): void {
    this.errors = (this.errors + this.errorDecoder.write(chunk)).slice(-STDERR_LIMIT);
  }

  finish(problem?: string): { stdout: string; stderr: string } {
    return { stdout: Buffer.concat(this.chunks).toString("utf8"), stderr: this.errors + (problem ?? "") };
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGTERM");
  } catch {
    // Gone already.
  }
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === "SIGKILL" ? 9 : signal === "SIGHUP" ? 1 : signal === "SIGINT" ? 2 : 15;
}
