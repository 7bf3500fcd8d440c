import { execFile } from "node:child_process";
import fs from "node:fs/promises";
import path from "node:path";
import { parseDocument } from "yaml";
import type { CheckResult } from "../../provider/contract/matrix";
import { downHost, type Host, onHost } from "../../sandbox";
import type { RunResult, Stack } from "../../sandbox/deploy/stack";

const CLI = path.resolve(__dirname, "../../cli/hearth");

/** A committed stack file on its own sandbox host, with only addresses, names, keys and users replaced. */
export abstract class DeployedServer {
  constructor(
    readonly host: Host,
    /** Files of this server on this machine. */
    readonly directory: string,
    readonly stack: Stack,
  ) {}

  /** The stack file before any edit. */
  protected abstract placed(): Promise<string>;

  /** HTTP status of a path under the public name; 0 if nothing answers within `seconds`, by default 30. */
  abstract status(path?: string, seconds?: number): Promise<number>;

  /** Reverts every edit of the stack file. */
  async reset(): Promise<void> {
    await this.stack.prepare(await this.placed());
  }

  async remove(): Promise<void> {
    await downHost(this.host.name);
    await fs.rm(this.directory, { recursive: true, force: true });
  }

  /** Changes values of the stack file (`homeserver.media.localLifetime`), like an editor; undefined removes the key. */
  async edit(changes: Record<string, unknown>): Promise<void> {
    const document = parseDocument(await fs.readFile(this.stack.configFile, "utf8"));
    for (const [dotted, value] of Object.entries(changes)) {
      const [section, ...keys] = dotted.split(".");
      const full = ["config", `hearth:${section}`, ...keys];
      if (value === undefined) document.deleteIn(full);
      else document.setIn(full, document.createNode(value));
    }
    await fs.writeFile(this.stack.configFile, document.toString({ lineWidth: 0 }));
    await this.stack.trust();
  }

  /** Runs `up`, by default without its preview, which runs the program once more; throws with the engine's output if it fails. */
  async up(args: readonly string[] = ["--skip-preview"]): Promise<RunResult> {
    return succeeded(await this.stack.up({ args }));
  }

  async preview(args: readonly string[] = ["--diff"]): Promise<RunResult> {
    return succeeded(await this.stack.preview({ args }));
  }

  /** `npx hearth verify`: its exit status, and the result of each check by name. */
  verify(): Promise<{ status: number; results: Record<string, CheckResult["result"]> }> {
    const { name } = this.host;
    const argv = ["verify", "--stack", name, "--config-file", this.stack.configFile, "--json"];
    const own = { PULUMI_BACKEND_URL: this.stack.backendUrl, HEARTH_TRUSTED: this.stack.confirmedFile };
    return new Promise((resolve, reject) => {
      execFile(CLI, argv, { env: { ...process.env, ...own } }, (error, stdout, stderr) => {
        const status = error === null ? 0 : Number(error.code);
        if (status > 1 || stdout === "") return reject(new Error(`hearth verify: ${stderr}`));
        const results: CheckResult[] = JSON.parse(stdout);
        resolve({ status, results: Object.fromEntries(results.map((one) => [one.check, one.result])) });
      });
    });
  }

  /** Runs shell text on the host as root and returns its output; throws if it fails. */
  async sh(text: string): Promise<string> {
    const { code, stdout, stderr } = await onHost(this.host, [text]);
    if (code !== 0) throw new Error(`on ${this.host.name}: ${text}\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** The processes on the host and their logs since the boot, for a failure that cannot be reproduced. */
  private async story(): Promise<string> {
    const { stdout, stderr } = await onHost(this.host, [
      "uptime; systemctl list-jobs --no-pager; systemctl --failed --no-pager --plain; pstree -a 2>/dev/null || ps -eo pid,user,etimes,args\n" +
        "journalctl -b --no-pager -o short-precise | grep -v ' sshd' | tail -n 150",
    ]);
    return `${stdout}${stderr}`;
  }

  /** Seconds until the client API answers 200, checking four times a second; throws after `limit`. */
  async secondsUntilAnswering(limit = 30): Promise<number> {
    const started = performance.now();
    while ((await this.status(undefined, 5)) !== 200) {
      if (performance.now() - started > limit * 1000) {
        throw new Error(`no answer within ${limit} s\n${await this.story()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    return (performance.now() - started) / 1000;
  }
}

function succeeded(result: RunResult): RunResult {
  if (!result.ok) throw new Error(`pulumi failed:\n${result.output}`);
  return result;
}
