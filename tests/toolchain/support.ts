import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

/** The checkout under test. */
export const root = path.resolve(__dirname, "../..");

/** A separate checkout: a copy of toolchain/ next to the real lock file and packages, so that tests are independent. */
export function temporaryCheckout(): string {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "hearth-toolchain-")));
  fs.cpSync(path.join(root, "toolchain"), path.join(dir, "toolchain"), { recursive: true });
  for (const file of ["package.json", "package-lock.json"])
    fs.copyFileSync(path.join(root, file), path.join(dir, file));
  fs.symlinkSync(path.join(root, "node_modules"), path.join(dir, "node_modules"));
  return dir;
}

export function removeDirectory(dir: string): void {
  fs.rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
}

/** Writes an executable sh script, as a stand-in for a program on PATH. */
export function script(file: string, body: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** Wall time in seconds. */
  seconds: number;
}

export interface Running {
  child: ChildProcess;
  /** Resolves once stdout or stderr has shown the text; fails if the program ends without it. */
  shows(text: string): Promise<void>;
  /** The text on stdout so far. */
  stdout(): string;
  ended: Promise<Ended>;
}

export interface StartOptions {
  cwd?: string;
  /** The whole environment; the test's own by default. */
  env?: NodeJS.ProcessEnv;
}

export function start(command: string, args: string[], { cwd, env }: StartOptions = {}): Running {
  const started = Date.now();
  const child = spawn(command, args, { cwd, env: env ?? process.env, stdio: ["pipe", "pipe", "pipe"] });
  const out = { stdout: "", stderr: "" };
  const watchers = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      out[name] += chunk;
      for (const watcher of watchers) watcher();
    });
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({ code, signal, ...out, seconds: (Date.now() - started) / 1000 }),
    );
  });
  const shows = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!(out.stdout + out.stderr).includes(text)) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
      ended.then((end) => reject(new Error(`ended without "${text}": ${JSON.stringify(end)}`)), reject);
    });
  return { child, shows, stdout: () => out.stdout, ended };
}

export function run(command: string, args: string[], options?: StartOptions): Promise<Ended> {
  const running = start(command, args, options);
  running.child.stdin?.end();
  return running.ended;
}

/** Processes that work in a directory or name it on their command line, as "pid command". */
export function processesIn(dir: string): string[] {
  const found: string[] = [];
  for (const pid of fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    try {
      const command = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      if (command.includes(dir) || `${fs.readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${dir}/`)) {
        found.push(`${pid} ${command}`);
      }
    } catch {
      // It has just ended.
    }
  }
  return found;
}

/** Waits until a condition holds, or fails with the last value. */
export async function eventually(look: () => unknown[], seconds: number): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  for (let seen = look(); seen.length > 0; seen = look()) {
    if (Date.now() > deadline) throw new Error(`still there after ${seconds} s:\n${seen.join("\n")}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
