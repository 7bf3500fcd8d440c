import { spawn } from "node:child_process";
import * as path from "node:path";
import { CliError } from "./errors";

/** The checkout: the directory of Pulumi.yaml. */
export const ROOT = path.dirname(__dirname);

/** The most lines of the engine's output that are shown when it fails. */
const LONGEST_COMPLAINT = 40;

/** The stack, and the file of its configuration when it is not Pulumi.STACK.yaml. */
export interface StackChoice {
  stack?: string;
  configFile?: string;
}

/**
 * Standard output of `pulumi ARGUMENTS` in the checkout, with the toolchain's engine on PATH and the caller's environment
 * (PULUMI_BACKEND_URL, passphrase). Throws with the engine's own message when it fails.
 */
export function pulumi(args: string[], choice: StackChoice): Promise<string> {
  const stack = choice.stack === undefined ? [] : ["--stack", choice.stack];
  const argv = [...args, ...stack, "--cwd", ROOT, "--non-interactive", "--color", "never"];
  return new Promise((settle, reject) => {
    const child = spawn("pulumi", argv, { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "ENOENT" ? "there is no pulumi on PATH\n  fix: run npm run hearth" : error.message;
      reject(new CliError(`pulumi could not be started: ${why}`));
    });
    child.on("close", (status) => {
      if (status === 0) settle(stdout);
      else reject(new CliError(`pulumi ${args[0]} failed:\n${indented(complaint(stdout, stderr))}`));
    });
  });
}

/**
 * The errors of the engine; with --json they are among the diagnostics on standard output. Nothing else of standard
 * output is shown: with --show-secrets it is a plan or a state with secrets in clear text.
 */
export function complaint(stdout: string, stderr: string): string {
  try {
    const { diagnostics = [] }: { diagnostics?: { severity: string; message: string }[] } =
      JSON.parse(stdout);
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    if (errors.length > 0) return errors.map(({ message }) => message.trim()).join("\n");
  } catch {
    // Not JSON: the engine ended before it wrote its plan.
  }
  return stderr.trim() || "it gave no reason; run the same pulumi command by hand";
}

function indented(text: string): string {
  const lines = text.trim().split("\n").slice(0, LONGEST_COMPLAINT);
  return lines.map((line) => `  ${line}`).join("\n");
}
