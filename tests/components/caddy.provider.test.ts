import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ADMIN_PATHS, METRICS_PATHS } from "../../provider/matrix/verification/exposure";
import { issueCertificate } from "../../sandbox";
import { ok } from "../support/host-programs";
import { eventually } from "../support/jobs";
import { changesOf, failureOf } from "../support/real-release";
import { CaddyHost, certificateRelease, MIB, proxyRelease } from "./caddy-host";

const UNIT = "hearth-caddy.service";
const UNRECOGNIZED = '{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"} 404';

/** The echo program's answer to a request that reached it. */
interface Echoed {
  path: string;
  headers: [string, string][];
  size: number;
}

const echoed = (text: string): Echoed => JSON.parse(text);
const values = ({ headers }: Echoed, name: string) =>
  headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);

let caddy: CaddyHost;

beforeAll(async () => {
  caddy = await CaddyHost.make(`caddy-${process.pid}`);
  ok(await caddy.apply(proxyRelease()));
});
afterAll(() => caddy?.home.down());

describe("[H4] Caddy behind a tunnel", () => {
  it.each([
    "/_matrix/client/v3/directory/room/%23a%2Fb:example.org?x=%2F",
    "/_matrix/federation/v1/event/%24a%2Fb%2Bc",
    "/_matrix/client/v3/rooms/!a:b/state/m.x/a..%2F..b%2F...?from=../..",
    "/_matrix/client/v3/rooms/!a:b//state/x.y/...",
    "/_synapse/client/password_reset?token=1",
  ])("forwards %s byte for byte, as it was signed", async (path) => {
    expect(echoed(await caddy.tunnelled(path)).path).toBe(path);
  });

  it.each([
    ...ADMIN_PATHS,
    ...METRICS_PATHS,
    "/",
    "/health",
    "/_matrix",
    "/_synapse/client",
    "/_matrix%2fclient/versions",
    "/_matrix/%2e%2e/_synapse/admin/v1/server_version",
    "/_matrix/%2E./_synapse/admin/v1/server_version",
    "/_matrix/client/..%2f..%2f_synapse/admin/v2/users",
    "/_matrix/..",
    "/_matrix/..?x=1",
    "/_matrix/./client/versions",
    "/_synapse/client/../admin/v2/users",
    "http://127.0.0.1/_synapse/admin/v2/users",
  ])("[A8] does not forward %s", async (path) => {
    expect(await caddy.tunnelled(path, "-w ' %{http_code}'")).toBe(UNRECOGNIZED);
  });

  it("answers for the public name only", async () => {
    const path = "http://127.0.0.1:8080/_matrix/client/versions";
    expect(await caddy.curl(path, "-w ' %{http_code}'")).toBe(UNRECOGNIZED);
  });

  it.each([
    ["server", "m.server"],
    ["client", "m.homeserver"],
  ])("serves the well-known document for %ss as JSON, with one CORS header", async (name, key) => {
    const [head = "", body = ""] = (await caddy.tunnelled(`/.well-known/matrix/${name}`, "-i")).split(
      "\r\n\r\n",
    );
    expect(head).toMatch(/^HTTP\/1\.1 200 /);
    expect(head.match(/^content-type: .*$/gim)).toEqual(["Content-Type: application/json"]);
    expect(head.match(/^access-control-allow-origin: .*$/gim)).toEqual(["Access-Control-Allow-Origin: *"]);
    expect(JSON.parse(body)).toHaveProperty([key]);
  });

  it("gives Synapse only the client address from the tunnel, and https", async () => {
    const claims = "-H 'X-Forwarded-For: 203.0.113.7' -H 'X-Forwarded-Proto: http'";
    const seen = echoed(await caddy.tunnelled("/_matrix/x", claims));
    expect(values(seen, "x-forwarded-for")).toEqual(["203.0.113.7"]);
    expect(values(seen, "x-forwarded-proto")).toEqual(["https"]);
    expect(values(seen, "host")).toEqual(["chat.tail1a2b.ts.net"]);
  });

  it("ignores an address that a client wrote before the tunnel's", async () => {
    const seen = echoed(await caddy.tunnelled("/_matrix/x", "-H 'X-Forwarded-For: 6.6.6.6, 203.0.113.7'"));
    expect(values(seen, "x-forwarded-for")).toEqual(["203.0.113.7"]);
  });

  it("can be reached on loopback only", async () => {
    const listening = await caddy.home.sh(
      "ss -Hltn | awk '{ print $4 }' | grep -E ':(8080|8081|2019|80|443)$'",
    );
    expect(listening).toBe("127.0.0.1:8080");
  });
});

describe("[H9] uploads", () => {
  const upload = (bytes: number, options: string, path = "/_matrix/media/v3/upload") =>
    caddy.home.sh(
      `head -c ${bytes} /dev/zero | curl -s --max-time 30 -X POST -H 'Host: chat.tail1a2b.ts.net' -H 'Expect:' ${options} -w ' %{http_code}' http://127.0.0.1:8080${path}`,
    );

  it.each([
    ["with its size", "--data-binary @-"],
    ["in chunks", "-H 'Transfer-Encoding: chunked' -T -"],
  ])("%s pass up to Synapse's limit; one byte more is refused with a Matrix error", async (_how, options) => {
    expect(echoed((await upload(2 * MIB, options)).replace(/ 200$/, "")).size).toBe(2 * MIB);
    expect(await upload(2 * MIB + 1, options)).toBe(
      '{"errcode":"M_TOO_LARGE","error":"The request is too large"} 413',
    );
  });

  it("that announce too much are refused before the client sends the body", async () => {
    const headers =
      "Host: chat.tail1a2b.ts.net\\r\\nContent-Length: %d\\r\\nExpect: 100-continue\\r\\n\\r\\n";
    const announce = (bytes: number) =>
      caddy.home.sh(
        `exec 3<>/dev/tcp/127.0.0.1/8080; printf 'POST /_matrix/media/v3/upload HTTP/1.1\\r\\n${headers}' ${bytes} >&3; timeout 30 head -n 1 <&3`,
      );
    expect(await announce(2 * MIB)).toMatch(/^HTTP\/1.1 100 /);
    expect(await announce(2 * MIB + 1)).toMatch(/^HTTP\/1.1 413 /);
  });

  it("have another limit than federation transactions, which may be larger", async () => {
    const sent = await upload(3 * MIB, "--data-binary @-", "/_matrix/federation/v1/send/1");
    expect(echoed(sent.replace(/ 200$/, "")).size).toBe(3 * MIB);
  });
});

describe("[H4] a change", () => {
  it("of the configuration is loaded without ending a waiting request", async () => {
    const started = await caddy.home.sh(`systemctl --user show -P ExecMainStartTimestamp ${UNIT}`);
    const waiting = caddy.tunnelled("/_matrix/slow");
    await new Promise((resolve) => setTimeout(resolve, 500));
    const answer = ok(await caddy.apply(proxyRelease({ plan: { maxUploadBytes: 3 * MIB } })));
    expect(changesOf(answer).join()).toMatch(/reloaded hearth-caddy\.service/);
    expect(echoed(await waiting).path).toBe("/_matrix/slow");
    expect(await caddy.home.sh(`systemctl --user show -P ExecMainStartTimestamp ${UNIT}`)).toBe(started);
    ok(await caddy.apply(proxyRelease()));
  });

  it("that needs a restart makes requests wait, and none fails", async () => {
    const restart = caddy.home.sh(`systemctl --user restart ${UNIT}`);
    for (let request = 0; request < 20; request++) {
      expect(echoed(await caddy.tunnelled("/_matrix/x")).path).toBe("/_matrix/x");
    }
    await restart;
  });

  it("[A4] that Caddy does not accept is refused before anything changes", async () => {
    const release = proxyRelease();
    const [path = ""] = Object.keys(release.files).filter((name) => name.endsWith("/Caddyfile"));
    const file = release.files[path];
    if (file === undefined) throw new Error("there is no Caddyfile");
    const files = {
      ...release.files,
      [path]: { ...file, content: `${file.content}http://x {\n\tnonsense\n}\n` },
    };
    const failure = failureOf(await caddy.apply({ ...release, files }));
    expect(failure.step).toBe("validate");
    expect(failure.text).toMatch(/unrecognized directive: nonsense/);
    expect(echoed(await caddy.tunnelled("/_matrix/x")).path).toBe("/_matrix/x");
  });

  it("[A2] of the port moves the listener, and a second change moves it back", async () => {
    ok(await caddy.apply(proxyRelease({ listen: { address: "127.0.0.1", port: 8090 } })));
    expect(await caddy.curl("http://127.0.0.1:8090/", "-o /dev/null -w '%{http_code}'")).toBe("404");
    ok(await caddy.apply(proxyRelease()));
    expect(changesOf(ok(await caddy.apply(proxyRelease())))).toEqual([]);
  });
});

it("[H13] its process has no capabilities, gets no new privileges, and cannot write", async () => {
  const status = await caddy.home.sh("podman exec hearth-caddy cat /proc/1/status");
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) {
    expect(status).toMatch(new RegExp(`^${set}:\\t0000000000000000$`, "m"));
  }
  const wrote = await caddy.home.sh("podman exec hearth-caddy touch /etc/caddy/x /srv/x /x 2>&1 || true");
  expect(wrote.match(/Read-only file system/g)).toHaveLength(3);
});

it("[A9] does not log the query or the headers of a request", async () => {
  const token = "-H 'Authorization: Bearer planted-header' -H 'X-Custom: planted-custom'";
  await caddy.tunnelled("/_matrix/cut?access_token=planted-query", token).catch(() => undefined);
  const log = () => caddy.home.sh(`journalctl --user --no-pager -u ${UNIT}`);
  // A user's journal shows lines some seconds later.
  const told = async () => /incomplete response.*"uri":"\/_matrix\/cut"/.test(await log());
  expect(await eventually(told)).toBe(true);
  expect(await log()).not.toContain("planted");
});

it("[A2] waits for a Synapse that restarts, and answers with a Matrix error if Synapse does not answer", async () => {
  await caddy.home.sh(
    "systemctl --user stop hearth-synapse.service; systemd-run --user --quiet --on-active=2 --timer-property=AccuracySec=100ms systemctl --user start hearth-synapse.service",
  );
  expect(await caddy.tunnelled("/_matrix/x", "-X POST -d {} -o /dev/null -w '%{http_code}'")).toBe("200");
  await caddy.home.sh("systemctl --user stop hearth-synapse.service");
  const answer = await caddy.tunnelled("/_matrix/x", "-w ' %{http_code}'");
  await caddy.home.sh("systemctl --user start hearth-synapse.service");
  expect(answer).toBe(
    '{"errcode":"M_UNKNOWN","error":"The homeserver does not answer. Try again later"} 502',
  );
});

it("[H1] [H15] starts after a power cut, without a login", async () => {
  await caddy.home.powerCut();
  const answer = () => caddy.tunnelled("/_matrix/x", "-w ' %{http_code}'").catch(() => "");
  expect(await eventually(async () => (await answer()).endsWith(" 200"), 120)).toBe(true);
});

describe("[H4] Caddy without a tunnel", () => {
  const NAMES = { serverName: "example.org", publicHost: "matrix.example.org" };
  const listen = { address: "::", port: 8443 };

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), "hearth-caddy-"));
    await issueCertificate(Object.values(NAMES), folder);
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    ok(await caddy.apply(certificateRelease(read("fullchain.pem"), read("privkey.pem"))));
    rmSync(folder, { recursive: true });
    ok(await caddy.apply(proxyRelease({ tls: true, listen, plan: { ...NAMES, federationPort: true } })));
  });

  /** A request from another host, over IPv4. */
  const outside = (url: string, options = "") => {
    const { hostname, port } = new URL(url);
    const resolve = `${hostname}:${port}:${caddy.home.host.address}`;
    const command = `curl -s --max-time 20 --cacert ${caddy.home.host.caFile} --resolve ${resolve} ${options} '${url}'`;
    return execFileSync("sh", ["-c", command], { encoding: "utf8" });
  };

  it("answers with the stack's certificate, and Synapse sees the client's address", () => {
    const claims = "-H 'X-Forwarded-For: 6.6.6.6' -H 'X-Forwarded-Proto: http'";
    const seen = echoed(outside("https://matrix.example.org:8443/_matrix/x", claims));
    expect(values(seen, "x-forwarded-for")).toEqual([expect.stringMatching(/^10\.\d+\.\d+\.1$/)]);
    expect(values(seen, "x-forwarded-proto")).toEqual(["https"]);
  });

  it("answers other servers on the federation port, on the paths they need", () => {
    const url = "https://example.org:8448/_matrix";
    expect(echoed(outside(`${url}/federation/v1/version`)).path).toBe("/_matrix/federation/v1/version");
    expect(outside(`${url}/client/versions`, "-w ' %{http_code}'")).toBe(UNRECOGNIZED);
  });

  it("serves only the well-known documents at the bare domain", () => {
    const url = "https://example.org:8443";
    expect(outside(`${url}/.well-known/matrix/server`)).toContain("m.server");
    expect(outside(`${url}/_matrix/client/versions`, "-w ' %{http_code}'")).toBe(UNRECOGNIZED);
  });

  it("refuses the TLS handshake for another name", () => {
    expect(() => outside("https://other.example.org:8443/", "-k")).toThrow();
  });

  it("[H2] keeps the key in a Podman secret that only it reads", async () => {
    const key = await caddy.home.sh("podman exec hearth-caddy ls -ln /run/secrets/tls_key");
    expect(key).toMatch(/^-r--------\s+1 1000\s+1000 /);
    expect(await caddy.home.sh("grep -rl 'PRIVATE KEY' .config || true")).toBe("");
  });
});
