import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { downHost, type Host, issueCertificate, onHost, sandboxNetwork, upHost } from "../../sandbox";
import { prepareImages } from "../../sandbox/containers";
import { Stack } from "../../sandbox/deploy/stack";
import { placeStack } from "../../sandbox/deploy/stack-file";
import { installTailscale, type Tailnet } from "../../sandbox/tailnet";
import { DeployedServer } from "./deployed-server";
import { containerHost } from "./layers";
import { statusFrom } from "./outside";
import { FROM_HERE, HOME_SOCKET } from "./synapse-socket";

const ROOT = path.resolve(__dirname, "../..");
/** The login user of sandbox hosts, who owns the containers. */
const USER = "debian";

/** The units of the home stack that run all the time. */
export const HOME_UNITS = ["hearth-postgres.service", "hearth-synapse.service", "hearth-caddy.service"];

export interface HomeOptions {
  /** Without Podman, which Hearth then installs. Default: false. */
  empty?: boolean;
  /** Absent: no tunnel, the proxy ends TLS under `<name>.test`. */
  tailnet?: Tailnet;
  /** Auth key with which the node joins. Default: a valid one. */
  authKey?: string;
  /** Committed stack file. Default: Pulumi.home.yaml. */
  file?: string;
  /** A server name whose own web server runs elsewhere, at this address. Default: the public host is the server name. */
  domain?: { serverName: string; address: string };
  /** The partner's server, which may be reached. */
  partner?: { serverName: string; publicHost: string; address: string };
}

/** A committed stack file for a home: Podman and images there, tailscaled installed and not logged in, nothing deployed yet. */
export class HomeServer extends DeployedServer {
  readonly publicHost: string;

  private constructor(
    host: Host,
    directory: string,
    stack: Stack,
    private readonly options: HomeOptions,
  ) {
    super(host, directory, stack);
    this.publicHost = publicHostOf(host.name, options);
  }

  get serverName(): string {
    return this.options.domain?.serverName ?? this.publicHost;
  }

  static async make(name: string, options: HomeOptions): Promise<HomeServer> {
    const { tailnet, empty = false } = options;
    const dnsNames = tailnet ? [] : [publicHostOf(name, options)];
    await downHost(name);
    const host = empty ? await emptyHost(name, dnsNames) : await containerHost(name, dnsNames);
    const directory = await fs.mkdtemp(path.join(os.tmpdir(), `hearth-e2e-${name}-`));
    const server = new HomeServer(host, directory, new Stack({ name, directory }), options);
    await server.reset();
    if (tailnet) {
      await installTailscale(host, { tailnet, node: name });
      await server.giveSecret("tunnel.authKey", options.authKey ?? tailnet.keys.valid);
    } else {
      await issueCertificate([server.publicHost], path.join(directory, "tls"));
    }
    return server;
  }

  /** Sets a secret like the operator. */
  async giveSecret(name: string, value: string): Promise<void> {
    await this.stack.cli([
      ...["config", "set", "--stack", this.host.name, "--config-file", this.stack.configFile],
      ...["--secret", "--path", `hearth:secrets.${name}`, value],
    ]);
    await this.stack.trust();
  }

  protected async placed(): Promise<string> {
    const { tailnet, domain, partner, file = "Pulumi.home.yaml" } = this.options;
    const placed = placeStack(await fs.readFile(path.join(ROOT, file), "utf8"), {
      serverName: this.serverName,
      publicHost: this.publicHost,
      address: this.host.name,
      user: USER,
      sshConfigFile: this.host.sshConfigFile,
      network: await sandboxNetwork(),
      ...(tailnet
        ? { controlUrl: tailnet.controlUrl }
        : {
            certificateFile: path.join(this.directory, "tls/fullchain.pem"),
            privateKeyFile: path.join(this.directory, "tls/privkey.pem"),
          }),
      ...(partner && {
        partner: { serverName: partner.serverName, url: `https://${partner.publicHost}` },
      }),
      resolve: {
        [this.publicHost]: this.wayIn,
        ...(domain && { [domain.serverName]: domain.address }),
        ...(partner && { [partner.publicHost]: partner.address, [partner.serverName]: partner.address }),
      },
      caFile: this.host.caFile,
      people: {},
      verify: false,
    });
    return placed;
  }

  /** Runs shell text as the login user, in the session of the user's manager. */
  async asUser(text: string): Promise<string> {
    const { code, stdout, stderr } = await onHost(
      this.host,
      [`export XDG_RUNTIME_DIR=/run/user/$(id -u); ${text}`],
      {
        user: USER,
      },
    );
    if (code !== 0) throw new Error(`as ${USER} on ${this.host.name}: ${text}\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** Process and start of every long-running service and of tailscaled: equal texts mean that nothing was restarted. */
  async lives(): Promise<string> {
    const show = "systemctl show --property=Id,MainPID,ActiveState,ActiveEnterTimestampMonotonic";
    const user = await this.asUser(
      `systemctl --user ${show.slice("systemctl ".length)} ${HOME_UNITS.join(" ")}`,
    );
    return `${user}\n${await this.sh(`${show} tailscaled.service`)}`;
  }

  /** Address that the public name leads to: Funnel's ingress, or the host itself. */
  private get wayIn(): string {
    return (this.options.tailnet?.host ?? this.host).address;
  }

  /** HTTP status from outside; 0 if nothing answers. The path is sent unchanged. */
  status(path = "/_matrix/client/versions", seconds = 30): Promise<number> {
    return statusFrom({ address: this.wayIn, host: this.publicHost, path, seconds });
  }

  /** Podman's secrets for the services, by name. */
  async podmanSecrets(): Promise<Record<string, string>> {
    const listed = await this.asUser(
      `podman secret ls --format '{{.Name}}' | grep ^hearth- | while read -r name; do
         printf '%s %s\\n' "$name" "$(podman secret inspect --showsecret --format '{{.SecretData}}' "$name" | base64 -w 0)"
       done`,
    );
    const lines = listed.trim().split("\n");
    return Object.fromEntries(
      lines.map((line) => {
        const [name = "", value = ""] = line.split(" ");
        return [name, Buffer.from(value, "base64").toString().trim()];
      }),
    );
  }

  /** Calls the homeserver's client API, without the proxy. */
  async ask(method: string, path: string, token?: string, body?: object): Promise<Record<string, unknown>> {
    const { code, stdout, stderr } = await onHost(this.host, [
      ...["curl", "--silent", "--show-error", "--max-time", "60", "--request", method],
      ...["--unix-socket", HOME_SOCKET, ...FROM_HERE],
      ...(token === undefined ? [] : ["--header", `Authorization: Bearer ${token}`]),
      ...(body === undefined ? [] : ["--data", JSON.stringify(body)]),
      `http://localhost/_matrix${path}`,
    ]);
    if (code !== 0) throw new Error(`${method} ${path}: ${stderr}`);
    return JSON.parse(stdout);
  }

  /** Logs a user in with the generated password; returns the access token. */
  async logIn(localpart: string): Promise<string> {
    const answer = await this.ask("POST", "/client/v3/login", undefined, {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: localpart },
      password: await this.password(localpart),
    });
    return String(answer.access_token);
  }

  /** The stack's outputs. */
  async outputs(): Promise<Record<string, unknown>> {
    return JSON.parse(await this.stack.cli(["stack", "output", "--json", "--stack", this.host.name]));
  }

  /** A user's generated password, read like the operator would. */
  async password(localpart: string): Promise<string> {
    return (await this.asUser(`cat ~/.local/state/hearth/accounts/${localpart}.password`)).trim();
  }
}

/** With the images, as if they had been pulled: Hearth itself must install Podman. */
async function emptyHost(name: string, dnsNames: string[]): Promise<Host> {
  const host = await upHost({ name, dnsNames });
  await prepareImages(host, { podman: false });
  return host;
}

function publicHostOf(name: string, { tailnet }: HomeOptions): string {
  return `${name}.${tailnet?.domain ?? "test"}`;
}
