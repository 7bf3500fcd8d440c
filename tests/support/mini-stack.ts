import path from "node:path";
import type { Connection } from "../../provider/contract/connection";
import { downHost, type Host, onHost, powerCutHost, upHost } from "../../sandbox";
import { eventually, processesIn, type Running, root, start } from "../toolchain/support";
import { EngineProject } from "./engine-project";

/** The parts of the small program that differ between tests. */
export interface MiniChange {
  /** One word that both files contain; with `wait-…` the service is unhealthy until {@link MiniStack.letGo}. */
  mark: string;
  /** Name of the release and its files; default `mini`. */
  release?: string;
  /** Seconds of `customTimeouts` for an update. */
  timeout?: number;
  connection?: Partial<Connection>;
}

/** The phase of an update that waits for its service. */
const WAITING = "waiting until the services answer";

/** Seconds until everything must have ended, on a busy machine. */
const PATIENCE = 120;

/** A stack of one release with two files and a unit, under the real engine, on its own sandbox host. */
export class MiniStack {
  private constructor(
    public host: Host,
    readonly project: EngineProject,
  ) {}

  /** Deployed once, with the mark `one`. */
  static async deploy(name: string): Promise<MiniStack> {
    const host = await upHost({ name });
    const stack = new MiniStack(host, await EngineProject.create(programText(host, { mark: "one" })));
    const { code, stdout, stderr } = await stack.up();
    if (code !== 0) throw new Error(stdout + stderr);
    return stack;
  }

  async remove(): Promise<void> {
    this.project.remove();
    await downHost(this.host.name);
  }

  /** Writes the program again. */
  change(change: MiniChange, project = this.project): void {
    project.write("index.ts", programText(this.host, change));
  }

  /** The same host for another operator: other state, other release. */
  another(change: MiniChange): Promise<EngineProject> {
    return EngineProject.create(programText(this.host, change));
  }

  up() {
    return this.project.pulumi("up", "--yes", "--skip-preview");
  }

  preview() {
    return this.project.pulumi("preview");
  }

  /** Starts an `up` in a separate session, like in a terminal, and returns when it waits for its service. */
  async upUntilWaiting(project = this.project): Promise<Running> {
    const running = start("setsid", [path.join(root, "toolchain/pulumi"), "up", "--yes", "--skip-preview"], {
      cwd: project.folder,
    });
    running.child.stdin?.end();
    await running.shows(WAITING);
    return running;
  }

  /** Standard output of a script on the host, run as root. */
  async shell(script: string): Promise<string> {
    return (await onHost(this.host, ["sh", "-c", script])).stdout.trim();
  }

  /** The content of both files, the values that the running service read from both, and whether it runs: one word each. */
  async seen(): Promise<string> {
    const words = await this.shell("cat /etc/mini/a /etc/mini/b /run/mini; systemctl is-active mini.service");
    return words.replaceAll("\n", " ");
  }

  /** Lets services with a mark `wait-…` become healthy. */
  letGo(): Promise<string> {
    return this.shell("touch /run/go");
  }

  /** Waits until no transaction runs on the host. */
  async hostAtRest(): Promise<void> {
    const script = `for _ in $(seq ${PATIENCE * 5}); do
  [ -n "$(systemctl list-units --plain --no-legend 'hearth-apply-*')" ] || exit 0
  sleep 0.2
done; echo "a transaction still runs"`;
    const said = await this.shell(script);
    if (said) throw new Error(said);
  }

  /** Waits until no engine, provider, language host or ssh of this stack is left. */
  nothingLeft(project = this.project): Promise<void> {
    return eventually(() => processesIn(project.folder), PATIENCE);
  }

  /** Kills the provider's processes. */
  killProviders(): void {
    const providers = processesIn(this.project.folder).filter((line) => line.includes("launch.js"));
    if (providers.length === 0) throw new Error("no provider runs");
    for (const line of providers) process.kill(Number.parseInt(line, 10), "SIGKILL");
  }

  /** Kills the shared ssh connection here; returns the number of its processes. */
  dropConnection(): number {
    const masters = processesIn(this.project.folder).filter((line) => /^\d+ ssh: .*\[mux\]/.test(line));
    for (const line of masters) process.kill(Number.parseInt(line, 10), "SIGKILL");
    return masters.length;
  }

  async powerCut(): Promise<void> {
    await powerCutHost(this.host.name);
  }

  async boot(): Promise<void> {
    this.host = await upHost({ name: this.host.name });
  }
}

/** Sends a signal to everything in the session's foreground, as a terminal does. */
export function signalTerminal({ child }: Running, signal: NodeJS.Signals): void {
  if (child.pid === undefined) throw new Error("it was not started");
  process.kill(-child.pid, signal);
}

function programText(host: Host, change: MiniChange): string {
  const { mark, release = "mini", timeout } = change;
  const connection: Connection = {
    name: host.name,
    transport: "ssh",
    address: host.name,
    sshConfigFile: host.sshConfigFile,
    become: "none",
    ...change.connection,
  };
  const folder = `/etc/${release}`;
  const unit = `[Unit]
Description=Mini
[Service]
ExecStart=/bin/sh -c "cat ${folder}/a ${folder}/b >/run/${release}; exec sleep infinity"
[Install]
WantedBy=multi-user.target
`;
  const access = { mode: "0644", owner: "root", group: "root" };
  const args = {
    connection,
    scope: "system",
    release,
    files: {
      [`${folder}/a`]: { content: `${mark}\n`, ...access },
      [`${folder}/b`]: { content: `${mark}\n`, ...access },
      [`/etc/systemd/system/${release}.service`]: { content: unit, ...access },
    },
    units: {
      [`${release}.service`]: {
        enabled: true,
        state: "running",
        restartOn: [`${folder}/a`, `${folder}/b`],
        reloadOn: [],
      },
    },
    health: {
      ready: {
        kind: "command",
        argv: ["/bin/sh", "-c", `! grep -q ^wait ${folder}/a || test -e /run/go`],
        timeoutSeconds: 600,
      },
    },
  };
  const options = timeout === undefined ? {} : { customTimeouts: { update: `${timeout}s` } };
  return `import { Release } from "./provider/sdk";
new Release("${connection.name}-${release}", ${JSON.stringify(args)}, ${JSON.stringify(options)});
`;
}
