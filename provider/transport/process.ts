import { spawn } from "node:child_process";
import { type Came, Output } from "./output";

export interface ProcessOptions {
  input?: Buffer;
  /**
   * The answer stands between two lines that begin with this, see PROTOCOL.md. Where there is input, standard input stays open until
   * the answer is whole, so that the program can see that its caller is there.
   */
  mark?: string;
  /** Called for every complete line of standard output (of the answer, with a mark), without its end. */
  onLine?: (line: string) => void;
  signal: AbortSignal;
  timeoutSeconds: number;
}

export interface ProcessResult {
  /** Exit status; 128 + n when signal n ended it, -1 when it could not be started. Of a whole answer, the status in its mark. */
  status: number;
  /** With a mark: the answer alone. */
  stdout: string;
  stderr: string;
  /** With a mark: what was on standard output besides the answer. */
  outside: string;
  /** How far an answer with a mark came; `begun` without a mark. */
  came: Came;
  /** Why it was ended by us. */
  ended?: "aborted" | "timeout" | "too much output";
}

/** How long streams may stay open, silent, after the process is gone (ssh leaves its shared connection behind). */
const DRAIN_MS = 300;
/** The same while an answer is not whole: a machine under load is slow to hand on what has come already. */
const ANSWER_MS = 10_000;
/** How long a process may live on with its answer whole: a shell's start file may leave a job behind that holds the streams. */
const LINGER_MS = 2000;
/** Status of ssh for its own failures: nothing more comes then. */
const SSH_FAILED = 255;

/** Process groups that run now. */
const groups = new Set<number>();
// If we are ended before a program has ended, nothing stays running here; the host goes on by itself.
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
    const output = new Output(options.mark, options.onLine);
    let ended: ProcessResult["ended"];
    let settled = false;
    let drain: NodeJS.Timeout | undefined;
    let linger: NodeJS.Timeout | undefined;
    let heard = 0;

    const whole = () => options.mark !== undefined && output.came === "whole";
    const end = (why: NonNullable<ProcessResult["ended"]>) => {
      if (!whole()) ended ??= why;
      killGroup(child.pid);
    };
    const onAbort = () => end("aborted");
    const timer = setTimeout(() => end("timeout"), options.timeoutSeconds * 1000);
    const settle = (status: number, problem?: string) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      clearTimeout(drain);
      clearTimeout(linger);
      options.signal.removeEventListener("abort", onAbort);
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      const { came } = output;
      resolve({ ...output.finish(problem), status: whole() ? output.status : status, came, ended });
    };
    child.on("exit", () => {
      if (child.pid !== undefined) groups.delete(child.pid);
    });
    const gone = () => child.exitCode !== null || child.signalCode !== null;
    const status = () => child.exitCode ?? 128 + signalNumber(child.signalCode);
    const awaitsMore = () => options.mark !== undefined && !whole() && !ended;
    const drainLater = () => {
      heard += 1;
      clearTimeout(drain);
      if (!gone()) return;
      const before = heard;
      const patience = awaitsMore() && status() !== SSH_FAILED ? ANSWER_MS : DRAIN_MS;
      // Where the event loop was held up, the timer comes first; what lies in the pipe is read before the second look.
      drain = setTimeout(() => setImmediate(() => before === heard && settle(status())), patience);
    };

    child.on("error", (error) => settle(-1, error.message));
    child.on("exit", drainLater);
    child.on("close", () => settle(status()));
    child.stdout.on("data", (chunk: Buffer) => {
      if (!output.add(chunk)) end("too much output");
      if (whole()) {
        child.stdin.end();
        linger ??= setTimeout(() => killGroup(child.pid), LINGER_MS);
      }
      drainLater();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      output.addError(chunk);
      drainLater();
    });
    // A program that ends before it has read everything says why on standard error.
    child.stdin.on("error", () => undefined);
    if (options.input && options.mark !== undefined) child.stdin.write(options.input);
    else child.stdin.end(options.input);
    if (options.signal.aborted) onAbort();
    else options.signal.addEventListener("abort", onAbort);
  });
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
