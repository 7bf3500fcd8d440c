import type { ReleaseInputs } from "../../provider/contract/release";
import { downHost, type Host, onHost, upHost } from "../../sandbox";
import { installTailscale, type Tailnet, upTailnet } from "../../sandbox/tailnet";
import { type Answer, call, sh } from "../support/host-programs";
import { tunnelRelease } from "./tunnel-release";

/** Returns the request that arrives. */
const ECHO = `import http.server, json
class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = json.dumps({"line": self.requestline, "headers": dict(self.headers.items())}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Echo).serve_forever()
`;
const LOGIN = { user: "debian", group: "debian", uid: 1000, home: "/home/debian" };

type Program = "apply" | "observe" | "delete";

/** A sandbox host with the real tailscaled, a tailnet for it, and the tunnel's release on it. */
export class TunnelHost {
  /** Instances of root's release and of the login user's. */
  private readonly instances = { system: "-", user: "-" };

  private constructor(
    readonly host: Host,
    readonly tailnet: Tailnet,
  ) {}

  static async start(tag: string): Promise<TunnelHost> {
    const domain = `tail${process.pid.toString(16)}.ts.net`;
    const tailnet = await upTailnet({ name: `tailnet-${tag}`, domain, nodes: ["chat"] });
    const host = await upHost({ name: `tunnel-${tag}` });
    await installTailscale(host, { tailnet, node: "chat" });
    return new TunnelHost(host, tailnet);
  }

  async stop(): Promise<void> {
    await downHost(this.host.name);
    await downHost(this.tailnet.host.name);
  }

  /** The component's release for a host with this name; without a key a person must log in. */
  async release(node: string, authKey?: string, config: object = {}): Promise<ReleaseInputs> {
    const { release, errors } = await tunnelRelease({
      publicHost: `${node}.${this.tailnet.domain}`,
      config: { controlUrl: this.tailnet.controlUrl, ...config },
      facts: { tailscale: "other" },
      ...(authKey === undefined ? {} : { authKey }),
    });
    expect(errors).toEqual([]);
    return release;
  }

  async apply(node: string, authKey?: string, config: object = {}): Promise<Answer> {
    const answer = await this.ask("system", "apply", await this.release(node, authKey, config));
    if (authKey !== undefined) expect(JSON.stringify(answer.rows)).not.toContain(authKey);
    return answer;
  }

  /** The same host without sudo: the release belongs to the login user. */
  async asUser(program: Program): Promise<Answer> {
    const { release } = await tunnelRelease({
      publicHost: `chat.${this.tailnet.domain}`,
      config: { controlUrl: this.tailnet.controlUrl },
      host: { become: "none" },
      facts: { tailscale: "other", login: LOGIN },
    });
    return this.ask("user", program, release);
  }

  delete(): Promise<Answer> {
    return this.ask("system", "delete", { release: "tunnel" });
  }

  private async ask(
    scope: "system" | "user",
    program: Program,
    release: Partial<ReleaseInputs>,
  ): Promise<Answer> {
    const answer = await call(this.host, program, release, { instance: this.instances[scope], scope });
    this.instances[scope] = answer.of("release")[0]?.[0] ?? this.instances[scope];
    if (program === "delete") this.instances[scope] = "-";
    return answer;
  }

  /** The states that a preview sees, by task. */
  async states(): Promise<Record<string, string>> {
    const answer = await this.ask("system", "observe", await this.release("chat", this.tailnet.keys.valid));
    return Object.fromEntries(answer.of("task").map(([name, state]) => [name ?? "", state ?? ""]));
  }

  /** The ports for which Funnel is on, as the daemon reports them. */
  async funnels(): Promise<string[]> {
    const config = JSON.parse(await this.sh("tailscale serve status --json"));
    return Object.keys(config.AllowFunnel ?? {}).map((name) => name.replace(/^.*:/, ""));
  }

  sh(command: string): Promise<string> {
    return sh(this.host, command);
  }

  /** Starts a program as the target of the tunnel. */
  async echo(): Promise<void> {
    await onHost(this.host, ["cat >/root/echo.py"], { input: ECHO });
    await this.sh("systemctl is-active -q echo || systemd-run -q --unit=echo python3 /root/echo.py");
    // The host has no curl.
    await this.sh(
      `for try in $(seq 600); do
         python3 -c 'import socket; socket.create_connection(("127.0.0.1", 8080), 5)' 2>/dev/null && exit
         sleep 0.1
       done
       exit 1`,
    );
  }
}
