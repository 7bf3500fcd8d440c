// Child processes that end with this process, and a lock between two runs of the toolchain.
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

/** An error that the user can fix: only its message is printed, without a stack trace. */
class ToolchainError extends Error {}

const children = new Set();

/**
 * From now on a signal ends the running steps and then this process, with the exit code a shell expects.
 * Returns the function that restores the default handling.
 */
function endChildrenOnSignals() {
  const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };
  const end = (signal) => {
    for (const child of children) signalGroup(child, "SIGTERM");
    process.exit(128 + numbers[signal]);
  };
  for (const signal of Object.keys(numbers)) process.on(signal, end);
  return () => {
    for (const signal of Object.keys(numbers)) process.off(signal, end);
  };
}

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/**
 * Runs a program until it ends and returns its output (stdout and stderr together).
 * @param {string} command
 * @param {string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, onLine?: (line: string) => void, timeout?: number}} options
 *   timeout in milliseconds, none by default
 * @throws {ToolchainError} with an excerpt of the output when the program fails or cannot be started
 */
function run(command, args, { cwd, env, onLine, timeout } = {}) {
  return new Promise((resolve, reject) => {
    // A separate process group, so that the program's own children end with it.
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    children.add(child);
    let output = "";
    const collect = (chunk) => {
      output += chunk;
      const line = output.trimEnd().split("\n").pop();
      if (line) onLine?.(line);
    };
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    const timer = timeout && setTimeout(() => signalGroup(child, "SIGKILL"), timeout);
    const fail = (reason) =>
      reject(new ToolchainError(`${path.basename(command)} ${args.join(" ")}: ${reason}${excerpt(output)}`));
    child.on("error", (error) => {
      children.delete(child);
      clearTimeout(timer);
      fail(error.message);
    });
    child.on("close", (code, signal) => {
      children.delete(child);
      clearTimeout(timer);
      if (code === 0) resolve(output);
      else fail(signal ? `ended by ${signal}` : `exit code ${code}`);
    });
  });
}

/** The start and end of the output, indented: programs name the cause in one of them. Warnings are omitted. */
function excerpt(output) {
  const lines = output.split("\n").filter((line) => line.trim() && !line.startsWith("npm warn"));
  const shown = lines.length > 20 ? [...lines.slice(0, 8), "...", ...lines.slice(-8)] : lines;
  return shown.map((line) => `\n  ${line}`).join("");
}

/**
 * Runs `work` while holding a lock file, waiting for another toolchain that holds it. The lock of a process that
 * has ended is taken over.
 */
async function locked(file, work) {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  for (let told = false; !take(file); told = true) {
    if (!told)
      process.stderr.write(
        `another run is preparing the same files (process ${holder(file)}); waiting for it\n`,
      );
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const release = () => fs.rmSync(file, { force: true });
  process.on("exit", release);
  try {
    return await work();
  } finally {
    process.off("exit", release);
    release();
  }
}

function take(file) {
  const owner = holder(file);
  if (owner && !alive(owner)) fs.rmSync(file, { force: true });
  try {
    fs.writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function holder(file) {
  try {
    return Number(fs.readFileSync(file, "utf8"));
  } catch {
    return 0;
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

module.exports = { ToolchainError, endChildrenOnSignals, run, locked };
