import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Connection } from "../../provider/contract/connection";
import { type HostAnswer, type HostCall, hostSession } from "../../provider/transport/session";
import { root } from "../toolchain/support";

let hosts = 0;

/**
 * A stand-in for ssh on PATH, whose host is this machine: it runs the command with `sh`, and around it the faults that a test wants to see
 * survived. Programs come from the test's own folder, under the real `run.sh`.
 */
export class FakeSsh {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "hearth-fake-ssh-")));
  private readonly before = { PATH: process.env.PATH, HEARTH_PROVIDER_DIR: process.env.HEARTH_PROVIDER_DIR };

  constructor() {
    mkdirSync(join(this.folder, "bin"));
    mkdirSync(join(this.folder, "machine/programs/lib"), { recursive: true });
    cpSync(join(root, "provider/transport/programs"), join(this.folder, "transport/programs"), {
      recursive: true,
    });
    process.env.PATH = `${join(this.folder, "bin")}${delimiter}${process.env.PATH}`;
    process.env.HEARTH_PROVIDER_DIR = this.folder;
    this.does('sh -c "$command"');
  }

  /** The action of ssh when there is a shared connection: sh text, in which `$command` is the request and `$folder` is {@link folder}. */
  does(script: string): void {
    const file = join(this.folder, "bin/ssh");
    writeFileSync(
      file,
      `#!/bin/sh
folder=${this.folder}
case " $* " in *" -O check "*) exit 0 ;; esac
for command; do :; done
${script}
`,
    );
    chmodSync(file, 0o755);
  }

  /** A program of the host. */
  program(name: string, text: string): void {
    writeFileSync(join(this.folder, "machine/programs", name), text);
  }

  /** Runs a program on a new connection, so that no test depends on the results of an earlier one. */
  readonly session = (change: Partial<Connection> = {}) => {
    hosts += 1;
    const name = `fake${process.pid}-${hosts}`;
    const session = hostSession({ name, transport: "ssh", address: name, become: "none", ...change });
    return (program: string, call: Partial<HostCall> = {}): Promise<HostAnswer> =>
      session.run({
        interpreter: program.endsWith(".py") ? "python3" : "sh",
        program: `machine/programs/${program}`,
        asRoot: true,
        files: [],
        signal: new AbortController().signal,
        timeoutSeconds: 30,
        ...call,
      });
  };

  remove(): void {
    process.env.PATH = this.before.PATH;
    if (this.before.HEARTH_PROVIDER_DIR === undefined) delete process.env.HEARTH_PROVIDER_DIR;
    else process.env.HEARTH_PROVIDER_DIR = this.before.HEARTH_PROVIDER_DIR;
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
