import { spawn } from "node:child_process";
import * as path from "node:path";
import { CliError } from "./errors";

/** The checkout: Pulumi.yaml is there. */
export const ROOT = path.dirname(__dirname);

/** Lines of the engine's output that are shown when it fails. */
const LONGEST_COMPLAINT = 40;

/** Which stack, and the file its configuration is in when that is not Pulumi.STACK.yaml. */
export interface StackChoice {
  stack?: string;
  configFile?: string;
}

/**
 * Standard output of `pulumi ARGUMENTS` in the checkout; the engine on PATH is the toolchain's, and the environment
 * (PULUMI_BACKEND_URL, passphrase) is the caller's. Throws with the engine's own words when it fails.
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
      const why = error.code === "ENOENT" ? "there is no pulumi on PATH; run: npm run hearth" : error.message;
      reject(new CliError(`pulumi could not be started: ${why}`));
    });
    child.on("close", (status) => {
      if (status === 0) settle(stdout);
      else reject(new CliError(`pulumi ${args[0]} failed:\n${indented(complaint(stdout, stderr))}`));
    });
  });
}

/**
 * What the engine complained about; with --json it does so among the diagnostics on standard output. Nothing else of standard
 * output is shown: with --show-secrets it is a plan or a state with secrets in clear.
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
  return stderr.trim() || "it said nothing of why; run the same pulumi command by hand";
}

function indented(text: string): string {
  const lines = text.trim().split("\n").slice(0, LONGEST_COMPLAINT);
  return lines.map((line) => `  ${line}`).join("\n");
}
