import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { downHost, type Host, issueCertificate, onHost, sandboxNetwork, upHost } from "../../sandbox";
import { Stack } from "../../sandbox/deploy/stack";
import { placeStack } from "../../sandbox/deploy/stack-file";
import { tryRun } from "../../sandbox/process";
import { DeployedServer } from "./deployed-server";
import { eventually } from "./jobs";
import { nativeHost } from "./layers";

const CHECKOUT = path.resolve(__dirname, "../..");

/** A unit in systemd: its process, and the time of its start. */
export interface UnitLife {
  active: string;
  enabled: string;
  pid: string;
  since: string;
}

export interface VpsOptions {
  empty?: boolean;
  project?: string;
  domain?: string;
}

/** The committed Pulumi.vps.yaml. */
export class VpsServer extends DeployedServer {
  readonly serverName: string;
  readonly publicHost: string;

  private constructor(
    host: Host,
    directory: string,
    stack: Stack,
    /** The checkout whose stack file this is: an earlier version knows no keys of a later one. */
    private readonly project: string,
    domain: string,
  ) {
    super(host, directory, stack);
    this.serverName = `${domain}.test`;
    this.publicHost = `matrix.${domain}.test`;
  }

  /**
   * A new host named `name`, with the stack prepared and nothing deployed yet.
   * @param empty without packages and Python environment, as a hosting company delivers it
   * @param project another checkout whose program and stack file are deployed; default: this one
   * @param domain its server name without `.test`; default: `name`
   */
  static async make(
    name: string,
    { empty = false, project, domain = name }: VpsOptions = {},
  ): Promise<VpsServer> {
    const dnsNames = [`${domain}.test`, `matrix.${domain}.test`];
    await downHost(name);
    const host = empty ? await upHost({ name, dnsNames }) : await nativeHost(name, dnsNames);
    const directory = await fs.mkdtemp(path.join(os.tmpdir(), `hearth-e2e-${name}-`));
    const server = new VpsServer(
      host,
      directory,
      new Stack({ name, directory, ...(project && { project }) }),
      project ?? CHECKOUT,
      domain,
    );
    await issueCertificate([server.serverName, server.publicHost], path.join(directory, "tls"));
    await server.reset();
    return server;
  }

  /** Files of a certificate of the sandbox's own authority, as the stack file names them. */
  get tls() {
    return {
      certificateFile: path.join(this.directory, "tls/fullchain.pem"),
      privateKeyFile: path.join(this.directory, "tls/privkey.pem"),
    };
  }

  protected async placed(): Promise<string> {
    return placeStack(await fs.readFile(path.join(this.project, "Pulumi.vps.yaml"), "utf8"), {
      serverName: this.serverName,
      publicHost: this.publicHost,
      address: this.host.name,
      sshConfigFile: this.host.sshConfigFile,
      ...this.tls,
      network: await sandboxNetwork(),
      partner: { serverName: "partner.test", url: "https://matrix.partner.test" },
      resolve: { [this.serverName]: this.host.address, [this.publicHost]: this.host.address },
      caFile: this.host.caFile,
      people: { alice: "Alice" },
      verify: false,
    });
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

  /** The processes and start times of the three long-running services. */
  async lives(): Promise<Record<"synapse" | "postgres" | "nginx", UnitLife>> {
    const [synapse, postgres, nginx] = await Promise.all([
      this.unit("matrix-synapse.service"),
      this.unit("postgresql@17-main.service"),
      this.unit("nginx.service"),
    ]);
    return { synapse, postgres, nginx };
  }

  /** Waits until no connection to the host is left: the shared connection ends some seconds after the engine's last run. */
  async disconnected(): Promise<void> {
    const open = ["-Htn", "state", "established", "dst", `${this.host.address}:22`];
    const none = async () => (await tryRun("ss", open)).stdout.trim() === "";
    if (!(await eventually(none, 120))) throw new Error(`there are still connections to ${this.host.name}`);
  }

  /** Reloads nginx, and waits until no worker with the old configuration accepts connections. */
  async reloadNginx(): Promise<void> {
    await this.sh(`workers() { ps -o pid=,args= --ppid "$(systemctl show -P MainPID nginx)" | awk '!/shutting down/ { print $1 }'; }
      old=$(workers); systemctl reload nginx
      for try in $(seq 600); do
        now=$(workers)
        [ -z "$now" ] || echo "$now" | grep -q -x -F "$old" || exit 0
        sleep 0.1
      done; exit 1`);
  }

  /** Logs alice in with the password that was created on the host; returns the access token. */
  async logIn(): Promise<string> {
    const body = `{"type":"m.login.password","identifier":{"type":"m.id.user","user":"alice"},"password":"$(cat /var/lib/hearth/accounts/alice.password)"}`;
    const escaped = body.replaceAll('"', '\\"');
    const answer = await this.sh(
      `curl -s https://${this.publicHost}/_matrix/client/v3/login -d "${escaped}"`,
    );
    return (JSON.parse(answer) as { access_token: string }).access_token;
  }

  /** HTTP status through the host's own proxy under the public name; 0 if nothing answers. */
  async status(url = "/_matrix/client/versions", seconds = 30): Promise<number> {
    const { stdout } = await onHost(this.host, [
      ...[
        "curl",
        "--silent",
        "--output",
        "/dev/null",
        "--max-time",
        `${seconds}`,
        "--write-out",
        "%{http_code}",
      ],
      `https://${this.publicHost}${url}`,
    ]);
    return Number(stdout);
  }
}
