import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseDocument } from "yaml";
import { downHost, type Host, issueCertificate, onHost, sandboxNetwork, upHost } from "../../sandbox";
import { type RunResult, Stack } from "../../sandbox/deploy/stack";
import { placeStack } from "../../sandbox/deploy/stack-file";

const COMMITTED = path.resolve(__dirname, "../../Pulumi.vps.yaml");

/** What systemd says of a unit: which process runs, and since when. */
export interface UnitLife {
  active: string;
  enabled: string;
  pid: string;
  since: string;
}

/** The committed Pulumi.vps.yaml on a sandbox host of its own, with only addresses, names and keys replaced. */
export class VpsServer {
  readonly serverName: string;
  readonly publicHost: string;

  private constructor(
    readonly host: Host,
    readonly directory: string,
    readonly stack: Stack,
  ) {
    this.serverName = `${host.name}.test`;
    this.publicHost = `matrix.${host.name}.test`;
  }

  /** A fresh host named `name`, with the stack prepared and nothing deployed yet. */
  static async make(name: string): Promise<VpsServer> {
    await downHost(name);
    const host = await upHost({ name, dnsNames: [`${name}.test`, `matrix.${name}.test`] });
    const directory = await fs.mkdtemp(path.join(os.tmpdir(), `hearth-e2e-${name}-`));
    const server = new VpsServer(host, directory, new Stack({ name, directory }));
    await issueCertificate([server.serverName, server.publicHost], path.join(directory, "tls"));
    await server.reset();
    return server;
  }

  /** Takes back every edit of the stack file. */
  async reset(): Promise<void> {
    await this.stack.prepare(await this.placed());
  }

  async remove(): Promise<void> {
    await downHost(this.host.name);
    await fs.rm(this.directory, { recursive: true, force: true });
  }

  private async placed(): Promise<string> {
    return placeStack(await fs.readFile(COMMITTED, "utf8"), {
      serverName: this.serverName,
      publicHost: this.publicHost,
      address: this.host.name,
      sshConfigFile: this.host.sshConfigFile,
      certificateFile: path.join(this.directory, "tls/fullchain.pem"),
      privateKeyFile: path.join(this.directory, "tls/privkey.pem"),
      network: await sandboxNetwork(),
      partner: { serverName: "partner.test", url: "https://matrix.partner.test" },
      resolve: { [this.serverName]: this.host.address, [this.publicHost]: this.host.address },
      caFile: this.host.caFile,
      people: { alice: "Alice" },
      verify: false,
    });
  }

  /** Changes values of the stack file (`homeserver.media.localLifetime`), as an editor would; undefined removes the key. */
  async edit(changes: Record<string, unknown>): Promise<void> {
    const document = parseDocument(await fs.readFile(this.stack.configFile, "utf8"));
    for (const [dotted, value] of Object.entries(changes)) {
      const [section, ...keys] = dotted.split(".");
      const full = ["config", `hearth:${section}`, ...keys];
      if (value === undefined) document.deleteIn(full);
      else document.setIn(full, document.createNode(value));
    }
    await fs.writeFile(this.stack.configFile, document.toString({ lineWidth: 0 }));
  }

  /** Runs `up`; throws with the engine's own output when it fails. */
  async up(args: readonly string[] = []): Promise<RunResult> {
    return succeeded(await this.stack.up({ args }));
  }

  async preview(args: readonly string[] = ["--diff"]): Promise<RunResult> {
    return succeeded(await this.stack.preview({ args }));
  }

  /** Runs shell text on the host as root and returns what it printed; throws when it fails. */
  async sh(text: string): Promise<string> {
    const { code, stdout, stderr } = await onHost(this.host, [text]);
    if (code !== 0) throw new Error(`on ${this.host.name}: ${text}\n${stdout}\n${stderr}`);
    return stdout;
  }

  async unit(name: string): Promise<UnitLife> {
    const properties = "ActiveState,UnitFileState,MainPID,ActiveEnterTimestampMonotonic";
    const text = await this.sh(`systemctl show --property=${properties} ${name}`);
    const value = (key: string) => new RegExp(`^${key}=(.*)$`, "m").exec(text)?.[1] ?? "";
    return {
      active: value("ActiveState"),
      enabled: value("UnitFileState"),
      pid: value("MainPID"),
      since: value("ActiveEnterTimestampMonotonic"),
    };
  }

  /** The lives of the three long-running services. */
  async lives(): Promise<Record<"synapse" | "postgres" | "nginx", UnitLife>> {
    const [synapse, postgres, nginx] = await Promise.all([
      this.unit("matrix-synapse.service"),
      this.unit("postgresql@17-main.service"),
      this.unit("nginx.service"),
    ]);
    return { synapse, postgres, nginx };
  }

  /** HTTP status through the host's own proxy under the public name; 0 when nothing answers. */
  async status(url = "/_matrix/client/versions"): Promise<number> {
    const { stdout } = await onHost(this.host, [
      ...["curl", "--silent", "--output", "/dev/null", "--max-time", "5", "--write-out", "%{http_code}"],
      `https://${this.publicHost}${url}`,
    ]);
    return Number(stdout);
  }

  /** Seconds until the client API answers 200, looking four times a second; throws after `limit`. */
  async secondsUntilAnswering(limit = 30): Promise<number> {
    const started = performance.now();
    while ((await this.status()) !== 200) {
      if (performance.now() - started > limit * 1000) throw new Error(`no answer within ${limit} s`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    return (performance.now() - started) / 1000;
  }
}

function succeeded(result: RunResult): RunResult {
  if (!result.ok) throw new Error(`pulumi failed:\n${result.output}`);
  return result;
}
