import { CERTIFICATE_NAME, KEY_SECRET, tlsFolder } from "../../components/certificates/paths";
import { socketMount } from "../../components/homeserver/image";
import { caddySpec } from "../../components/proxy/caddy-spec";
import type { ProxyPlan } from "../../components/proxy/plan";
import { proxySchema } from "../../config-schemas/proxy/schema";
import type { ReleaseInputs } from "../../provider/contract/release";
import { publicFile } from "../../runtimes/ownership";
import { owned, userPlaces } from "../../runtimes/places";
import { renderContainer, renderNetwork } from "../../runtimes/quadlet/render";
import { type HomeHost, homeHost } from "../support/home-host";
import { type Answer, call, LOGIN } from "../support/host-programs";
import { containerLayout, inContainers, NOTHING } from "../support/rendered";

export const PLACES = userPlaces({ user: LOGIN, group: LOGIN, uid: 1000, home: `/home/${LOGIN}` });
export const MIB = 1024 ** 2;

/** Replaces Synapse, with its name and its image, and returns the request that it got, byte for byte. */
const ECHO = `
import http.server, json, os, socketserver, time
class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.taken(int(self.headers.get("Content-Length") or 0))
        seen = 0
        while (size := int(self.rfile.readline(), 16)) > 0:
            seen += self.taken(size)
            self.rfile.readline()
        self.rfile.readline()
        return seen
    def taken(self, size):
        left = size
        while left > 0:
            left -= len(self.rfile.read(min(65536, left)))
        return size
    def answer(self):
        if "slow" in self.path:
            time.sleep(4)
        found = {"path": self.path, "headers": self.headers.items(), "size": self.body()}
        text = json.dumps(found).encode()
        self.send_response(200)
        # More than comes.
        cut = "cut" in self.path
        self.close_connection = cut
        self.send_header("Content-Length", str(len(text) + (1000 if cut else 0)))
        self.end_headers()
        self.wfile.write(text)
    do_GET = do_PUT = do_POST = answer
    def log_message(self, *_): pass
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64
path = "/run/hearth-synapse/synapse.sock"
if os.path.exists(path):
    os.unlink(path)
Server(path, Echo).serve_forever()
`;

const ECHO_CONTAINER = renderContainer({
  ...{ name: "hearth-synapse", description: "echo", kind: "service", network: "hearth" },
  ...{
    image: "ghcr.io/element-hq/synapse:v1.163.2",
    uid: 991,
    gid: 991,
    entrypoint: "/usr/local/bin/python",
  },
  ...{ command: ["/echo/echo.py"], environment: {}, secrets: {}, publish: [], tmpfs: [], after: [] },
  mounts: [
    { source: `/home/${LOGIN}/echo`, target: "/echo", readOnly: true },
    { ...socketMount(containerLayout(PLACES)), readOnly: false },
  ],
  ...{ memoryMiB: 128, pids: 64, startSeconds: 60, stopSeconds: 2 },
});

/** The settings of Caddy in these tests: behind a tunnel, unless `tls`. */
export interface Wanted {
  plan?: Partial<ProxyPlan>;
  listen?: { address: string; port: number };
  tls?: boolean;
  image?: string;
}

const NAME = "chat.tail1a2b.ts.net";
const PLAN: ProxyPlan = {
  ...{ serverName: NAME, publicHost: NAME },
  upstream: { kind: "socket", path: "/run/hearth-synapse/synapse.sock" },
  ...{ maxUploadBytes: 2 * MIB, readTimeout: "10m", federationPort: false, ipv6: true },
  documents: {
    server: `{"m.server":"${NAME}:443"}`,
    client: `{"m.homeserver":{"base_url":"https://${NAME}"}}`,
  },
};

/** The proxy's release, as its component renders it. */
export function proxyRelease(wanted: Wanted = {}): Omit<ReleaseInputs, "connection" | "scope"> {
  const { tls = false, listen = { address: "127.0.0.1", port: 8080 } } = wanted;
  const { image = "docker.io/library/caddy:2.10.2" } = wanted;
  const spec = caddySpec({
    plan: { ...PLAN, ...wanted.plan },
    config: { ...proxySchema.parse({ host: "home", image, memory: "128M", listen }), kind: "caddy" },
    facts: { nginx: "", distribution: "debian", release: "13" },
    certificate: tls ? ["revision:certificates"] : [],
    tlsFolder: tlsFolder(PLACES),
    acme: false,
    homeserver: containerLayout(PLACES),
  });
  return {
    ...inContainers(PLACES, spec),
    release: "proxy",
    revisions: tls ? { certificates: "one" } : {},
  };
}

/** The certificate's release, as its component renders it. */
export function certificateRelease(certificate: string, value: string): ReturnType<typeof proxyRelease> {
  const folder = tlsFolder(PLACES);
  return {
    ...NOTHING,
    release: "certificates",
    directories: { [folder]: owned(PLACES, "0755") },
    files: { [`${folder}/${CERTIFICATE_NAME}`]: publicFile(certificate, PLACES) },
    containerSecrets: { [KEY_SECRET]: { source: { kind: "given", value } } },
  };
}

/** A host with Podman, the containers' network, and an echo program instead of Synapse. */
export class CaddyHost {
  private readonly instances = new Map<string, string>();

  private constructor(readonly home: HomeHost) {}

  static async make(name: string): Promise<CaddyHost> {
    const home = await homeHost(name);
    // The settings that the release `rootless` makes on a host.
    await home.root(
      `loginctl enable-linger ${LOGIN}; apt-get update -qq && apt-get install -qq -y curl >/dev/null`,
    );
    await home.sh(
      "mkdir -p echo .local/share/hearth/homeserver/socket .config/containers/systemd && cat > echo/echo.py",
      ECHO,
    );
    await home.sh("cat > .config/containers/systemd/hearth.network", renderNetwork());
    await home.sh("cat > .config/containers/systemd/hearth-synapse.container", ECHO_CONTAINER);
    await home.sh("systemctl --user daemon-reload && systemctl --user start hearth-synapse.service");
    return new CaddyHost(home);
  }

  async apply(release: Omit<ReleaseInputs, "connection" | "scope">): Promise<Answer> {
    const instance = this.instances.get(release.release) ?? "-";
    const answer = await call(this.home.host, "apply", release, { instance, scope: "user" });
    const [made] = answer.of("release");
    if (made?.[0] !== undefined) this.instances.set(release.release, made[0]);
    return answer;
  }

  /** Standard output of curl on the host. */
  curl(url: string, options = ""): Promise<string> {
    return this.home.sh(`curl -sk --max-time 20 --path-as-is ${options} '${url}'`);
  }

  /** A request as the tunnel sends it: from loopback, for the public name. */
  tunnelled(path: string, options = ""): Promise<string> {
    const target = `--request-target '${path}' -H 'Host: ${NAME}'`;
    return this.curl("http://127.0.0.1:8080/", `${target} ${options}`);
  }
}
