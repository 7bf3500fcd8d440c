import { spawn } from "node:child_process";
import fs from "node:fs";
import fsp from "node:fs/promises";
import path from "node:path";
import { parseDocument } from "yaml";
import { parseStack } from "../../config-schemas/parse";
import { rawOf } from "../../config-schemas/stack-file";
import { confirmationsOf } from "../../config-schemas/trust/confirmations";
import { confirm } from "../../config-schemas/trust/confirmed";
import { SandboxError } from "../errors";
import { spending } from "../spent";
import { writeFileAtomically } from "../state";
import { type EngineReport, nameOf, readEvents, report, underWay } from "./engine-events";

const checkout = path.resolve(__dirname, "../..");

export interface StackOptions {
  /** Stack name; not the name of a committed stack file. */
  name: string;
  /** Directory for all files of this stack on this machine: configuration, logs, and without `backend` its state. */
  directory: string;
  /** Directory of the state; stacks may share one. Default: `state` in `directory`. */
  backend?: string;
  /** Directory of the Pulumi.yaml of the program. Default: this checkout. */
  project?: string;
  /** Aborting asks the engine to stop, like Ctrl-C: a change on a host ends or is undone first. */
  signal?: AbortSignal;
}

export interface RunResult extends EngineReport {
  ok: boolean;
  /** The output of the CLI, stdout and stderr. */
  output: string;
  seconds: number;
  /** File with `output`; the same run of a later process overwrites it. */
  logFile: string;
}

export interface RunOptions {
  /** Receives the names of the resources that are being changed, at every change. */
  progress?: (resources: string[]) => void;
  /** More arguments for the CLI, e.g. `--diff` or `--skip-preview`. */
  args?: readonly string[];
  env?: Record<string, string>;
}

type Verb = "up" | "preview" | "destroy" | "refresh";

/** A Pulumi stack with configuration and state outside the checkout, run through this checkout's CLI wrapper. */
export class Stack {
  readonly configFile: string;
  readonly backendUrl: string;
  /** For HEARTH_TRUSTED: the caller's confirmations of its own configuration. */
  readonly confirmedFile: string;
  private readonly project: string;
  private readonly projectName: string;
  private readonly backend: string;
  private runs = 0;

  constructor(private readonly options: StackOptions) {
    this.project = options.project ?? checkout;
    this.projectName = String(
      parseDocument(fs.readFileSync(path.join(this.project, "Pulumi.yaml"), "utf8")).get("name"),
    );
    this.configFile = path.join(options.directory, `${options.name}.yaml`);
    this.backend = options.backend ?? path.join(options.directory, "state");
    this.confirmedFile = path.join(options.directory, "trusted.json");
    this.backendUrl = `file://${this.backend}?create_dir=true`;
  }

  /**
   * Writes the configuration and makes sure the stack exists. `config` is the text of a stack file; the engine's salt
   * in it is kept. A leftover lock of an engine that was killed is removed.
   */
  async prepare(config: string): Promise<void> {
    await fsp.mkdir(this.options.directory, { recursive: true, mode: 0o700 });
    const salt = await this.salt();
    const document = parseDocument(config);
    document.set("encryptionsalt", salt);
    await writeFileAtomically(this.configFile, document.toString({ lineWidth: 0 }), 0o600);
    await this.removeDeadLocks();
    await this.trust();
  }

  /** Confirms the effects of the configuration on this machine, like `npx hearth trust --yes`: the caller owns the configuration. */
  async trust(): Promise<void> {
    const parsed = parseStack(rawOf(await fsp.readFile(this.configFile, "utf8")));
    // The program reports faults.
    if (!parsed.ok) return;
    confirm(
      this.confirmedFile,
      this.options.name,
      confirmationsOf(parsed.config, parsed.secrets, this.project),
    );
  }

  /** `pulumi up`, with its preview unless `--skip-preview` is among the arguments. */
  up(options?: RunOptions): Promise<RunResult> {
    return this.run("up", options, ["--yes"]);
  }

  preview(options?: RunOptions): Promise<RunResult> {
    return this.run("preview", options);
  }

  destroy(options?: RunOptions): Promise<RunResult> {
    return this.run("destroy", options, ["--yes", "--skip-preview"]);
  }

  /** Names of the resources in the state; empty if there is no such stack. */
  async resources(): Promise<string[]> {
    const file = path.join(this.backend, ".pulumi/stacks", this.projectName, `${this.options.name}.json`);
    const text = await fsp.readFile(file, "utf8").catch(() => "{}");
    const state = JSON.parse(text) as { checkpoint?: { latest?: { resources?: { urn: string }[] } } };
    return (state.checkpoint?.latest?.resources ?? []).map(({ urn }) => nameOf(urn));
  }

  /** Runs any command of the CLI against this stack's backend and returns its output; throws when it fails. */
  async cli(args: readonly string[]): Promise<string> {
    const { code, output } = await this.spawn(args, {});
    if (code !== 0) throw new SandboxError(`pulumi ${args.join(" ")} failed:\n  ${tail(output)}`);
    return output;
  }

  private async run(
    verb: Verb,
    options: RunOptions = {},
    defaults: readonly string[] = [],
  ): Promise<RunResult> {
    this.runs += 1;
    const base = path.join(this.options.directory, `${this.options.name}-${verb}-${this.runs}`);
    const [events, logFile] = [`${base}.events`, `${base}.log`];
    const args = [
      ...[verb, "--stack", this.options.name, "--config-file", this.configFile],
      ...["--non-interactive", "--color", "never"],
      ...["--event-log", events, ...defaults, ...(options.args ?? [])],
    ];
    await fsp.rm(events, { force: true });
    const started = performance.now();
    const timer = watch(events, options.progress);
    const kind = verb === "up" || verb === "destroy" ? "deploy" : "engine";
    const { code, output } = await spending(kind, () => this.spawn(args, options.env ?? {})).finally(() =>
      clearInterval(timer),
    );
    const seconds = (performance.now() - started) / 1000;
    const reported = report(await readEvents(events));
    await fsp.rm(events, { force: true });
    await fsp.writeFile(logFile, output, { mode: 0o600 });
    return { ok: code === 0, output, seconds, logFile, ...reported };
  }

  private spawn(
    args: readonly string[],
    env: Record<string, string>,
  ): Promise<{ code: number; output: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn(path.join(checkout, "toolchain/pulumi"), args, {
        cwd: this.project,
        // The CLI accepts the option for the event log only with its debug commands.
        env: {
          ...process.env,
          PULUMI_BACKEND_URL: this.backendUrl,
          PULUMI_DEBUG_COMMANDS: "true",
          HEARTH_TRUSTED: this.confirmedFile,
          ...env,
        },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const stop = () => child.kill("SIGINT");
      this.options.signal?.addEventListener("abort", stop);
      let output = "";
      const collect = (text: string) => {
        output += text;
      };
      child.stdout.setEncoding("utf8").on("data", collect);
      child.stderr.setEncoding("utf8").on("data", collect);
      child.on("error", (cause) => reject(new SandboxError(`cannot start the Pulumi CLI: ${cause.message}`)));
      child.on("close", (code) => {
        this.options.signal?.removeEventListener("abort", stop);
        resolve({ code: code ?? 130, output });
      });
    });
  }

  /** The stack's encryption salt: created with the stack, kept in the configuration. */
  private async salt(): Promise<unknown> {
    const present = await fsp.readFile(this.configFile, "utf8").catch(() => "");
    const kept: unknown = parseDocument(present).get("encryptionsalt");
    if (kept !== undefined) return kept;
    const inCheckout = path.join(this.project, `Pulumi.${this.options.name}.yaml`);
    if (!(await this.removeStray())) {
      throw new SandboxError(
        `the stack name ${this.options.name} is already used by ${inCheckout}\n  fix: choose another name`,
      );
    }
    try {
      const known = await this.cli(["stack", "ls", "--json"]);
      const names = (JSON.parse(known) as { name: string }[]).map((stack) => stack.name);
      // A stack without its salt cannot be read; only a run that was interrupted between the two steps leaves one, and it is empty.
      if (names.includes(this.options.name))
        await this.cli(["stack", "rm", "--yes", "--stack", this.options.name]);
      await this.cli(["stack", "init", this.options.name, "--no-select", "--non-interactive"]);
      return parseDocument(await fsp.readFile(inCheckout, "utf8")).get("encryptionsalt");
    } finally {
      // The CLI writes the salt next to Pulumi.yaml, even with another configuration file; the checkout stays clean.
      await fsp.rm(inCheckout, { force: true });
    }
  }

  /**
   * Removes the file that the CLI writes next to Pulumi.yaml when somebody runs it on this stack without the configuration file: a
   * stack file that contains only a salt. Returns false if the stack file has other content.
   */
  async removeStray(): Promise<boolean> {
    const file = path.join(this.project, `Pulumi.${this.options.name}.yaml`);
    const text = await fsp.readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) return true;
    if (parseDocument(text).has("config")) return false;
    await fsp.rm(file, { force: true });
    return true;
  }

  private async removeDeadLocks(): Promise<void> {
    const locks = path.join(this.backend, ".pulumi/locks/organization", this.projectName, this.options.name);
    for (const name of await fsp.readdir(locks).catch(() => [] as string[])) {
      const text = await fsp.readFile(path.join(locks, name), "utf8").catch(() => "{}");
      const { pid } = JSON.parse(text) as { pid?: number };
      if (pid !== undefined && !fs.existsSync(`/proc/${pid}`))
        await fsp.rm(path.join(locks, name), { force: true });
    }
  }
}

/** The last lines of an output. */
export function tail(text: string, lines = 15): string {
  return text.trim().split("\n").slice(-lines).join("\n  ");
}

function watch(file: string, progress?: (resources: string[]) => void): NodeJS.Timeout | undefined {
  if (!progress) return undefined;
  let shown = "";
  return setInterval(() => {
    void readEvents(file).then((events) => {
      const names = underWay(events);
      if (names.join() !== shown) progress(names);
      shown = names.join();
    });
  }, 500);
}
