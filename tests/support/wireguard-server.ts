import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { downHost, type Host, issueCertificate, onHost, sandboxNetwork, upHost } from "../../sandbox";
import { Stack } from "../../sandbox/deploy/stack";
import { placeStack } from "../../sandbox/deploy/stack-file";
import { DeployedServer } from "./deployed-server";
import { answerFrom, statusFrom } from "./outside";

const EXAMPLE = path.resolve(__dirname, "../../examples/wireguard.yaml");

/** The committed examples/wireguard.yaml on two sandbox hosts: nothing deployed yet. */
export class WireguardServer extends DeployedServer {
  readonly serverName: string;
  readonly publicHost: string;

  private constructor(
    host: Host,
    /** The host with the public address. */
    readonly edge: Host,
    directory: string,
    stack: Stack,
    private readonly partner: { serverName: string; publicHost: string; address: string },
  ) {
    super(host, directory, stack);
    this.serverName = `${edge.name}.test`;
    this.publicHost = `matrix.${edge.name}.test`;
  }

  static async make(name: string, partner: WireguardServer["partner"]): Promise<WireguardServer> {
    const edgeName = `${name}-edge`;
    await Promise.all([downHost(name), downHost(edgeName)]);
    const [home, edge] = await Promise.all([
      upHost({ name }),
      upHost({ name: edgeName, dnsNames: [`${edgeName}.test`, `matrix.${edgeName}.test`] }),
    ]);
    const directory = await fs.mkdtemp(path.join(os.tmpdir(), `hearth-e2e-${name}-`));
    const stack = new Stack({ name, directory });
    const server = new WireguardServer(home, edge, directory, stack, partner);
    await issueCertificate([server.serverName, server.publicHost], path.join(directory, "tls"));
    await server.reset();
    return server;
  }

  protected async placed(): Promise<string> {
    const { partner, edge } = this;
    const placed = placeStack(await fs.readFile(EXAMPLE, "utf8"), {
      serverName: this.serverName,
      publicHost: this.publicHost,
      address: { home: this.host.name, edge: edge.name },
      sshConfigFile: this.host.sshConfigFile,
      certificateFile: path.join(this.directory, "tls/fullchain.pem"),
      privateKeyFile: path.join(this.directory, "tls/privkey.pem"),
      network: await sandboxNetwork(),
      partner: { serverName: partner.serverName, url: `https://${partner.publicHost}` },
      resolve: {
        ...{ [this.serverName]: edge.address, [this.publicHost]: edge.address },
        ...{ [partner.serverName]: partner.address, [partner.publicHost]: partner.address },
      },
      caFile: this.host.caFile,
      people: { alice: "Alice" },
      verify: true,
    });
    return placed;
  }

  override async remove(): Promise<void> {
    await Promise.all([super.remove(), downHost(this.edge.name)]);
  }

  /** HTTP status from outside, at the edge; 0 if nothing answers. */
  status(url = "/_matrix/client/versions", seconds = 30): Promise<number> {
    return statusFrom({ address: this.edge.address, host: this.publicHost, path: url, seconds });
  }

  /** The edge's answer to a client. */
  answer(url: string, host = this.publicHost): Promise<{ status: number; body: string }> {
    return answerFrom({ address: this.edge.address, host, path: url, seconds: 30 });
  }

  /** Runs shell text on the edge as root and returns its output; throws if it fails. */
  async onEdge(text: string): Promise<string> {
    const { code, stdout, stderr } = await onHost(this.edge, [text]);
    if (code !== 0) throw new Error(`on ${this.edge.name}: ${text}\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** Process and start of each long-running service on both hosts. */
  async lives(): Promise<string> {
    const show = (...units: string[]) =>
      `systemctl show --property=Id,MainPID,ActiveState,ActiveEnterTimestampMonotonic ${units.join(" ")}`;
    const link = "hearth-wireguard.service";
    const [home, edge] = await Promise.all([
      this.sh(show("matrix-synapse.service", "postgresql@17-main.service", link)),
      this.onEdge(show("nginx.service", link)),
    ]);
    return `${home}\n${edge}`;
  }
}
