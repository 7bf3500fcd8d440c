import { type ChildProcess, spawn } from "node:child_process";
import { SandboxError } from "./errors";

/** The result of a finished program. `code` is 128 when a signal ended it. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Text for the program's standard input; default: none (end of file at once). */
  input?: string;
  /** Added to this process's own environment. */
  env?: Record<string, string>;
  /** Milliseconds until the program is killed; default: no limit. */
  timeout?: number;
  /** Called with each line the program writes to stderr, while it runs. */
  onLine?: (line: string) => void;
}

/** Runs a program and returns its result, whatever the exit code. Throws when the program is missing. */
export function tryRun(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: "pipe",
      env: { ...process.env, LC_ALL: "C.UTF-8", ...options.env },
      timeout: options.timeout,
      killSignal: "SIGKILL",
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      stderr.push(chunk);
      if (options.onLine) for (const line of chunk.toString().split("\n")) if (line) options.onLine(line);
    });
    child.on("error", (cause) => reject(new SandboxError(`cannot start ${program}: ${cause.message}`)));
    child.on("close", (code) => {
      resolve({
        code: code ?? 128,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
    // A program that ends without reading its input is judged by its exit code, not by the broken pipe.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}

/** Runs a program and returns its standard output; throws with the end of its stderr if it fails. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const finished = await tryRun(program, args, options);
  if (finished.code === 0) return finished.stdout;
  const tail = (finished.stderr || finished.stdout).trim().split("\n").slice(-12).join("\n  ");
  throw new SandboxError(`${[program, ...args].join(" ")} failed (exit code ${finished.code}):\n  ${tail}`);
}

/** Runs a program on this terminal (with its stdin, stdout and stderr) and returns its exit code. */
export function runOnTerminal(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(program, args, { stdio: "inherit" });
    child.on("error", (cause) => reject(new SandboxError(`cannot start ${program}: ${cause.message}`)));
    child.on("close", (code) => resolve(code ?? 128));
  });
}

/** Resolves after `milliseconds`. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
