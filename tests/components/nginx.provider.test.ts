import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { downHost, type Host, SUITES, upHost } from "../../sandbox";
import { ok, sh } from "../support/host-programs";
import { eventually } from "../support/jobs";
import { changed, DEBIAN_12, DEBIAN_13, fixture } from "../support/program";
import { failureOf, RealReleases } from "../support/real-release";

/** Stands where Synapse does and says back what reached it, byte for byte. */
const ECHO = `
import http.server, json
class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        size = int(self.headers.get("Content-Length") or 0)
        seen = 0
        while seen < size:
            seen += len(self.rfile.read(min(65536, size - seen)))
        body = json.dumps({"path": self.path, "headers": dict(self.headers), "size": seen}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_PUT = do_POST = answer
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 8999), Echo).serve_forever()
`;

const MIB = 1024 ** 2;
const stack = changed(fixture("minimal"), {
  "homeserver.listener": { port: 8999 },
  "homeserver.media": { maxUploadSize: "2M" },
});
const CASES = SUITES.map((suite) => ({ suite, facts: suite === "bookworm" ? DEBIAN_12 : DEBIAN_13 }));

describe.each(CASES)("nginx of $suite", ({ suite, facts }) => {
  const name = `nginx-${suite}-${process.pid}`;
  let host: Host;
  let releases: RealReleases;

  beforeAll(async () => {
    host = await upHost({ name, suite });
    releases = new RealReleases(host, facts);
    ok(await releases.apply(stack, "certificates"));
    ok(await releases.apply(stack, "proxy"));
    writeFileSync(join(host.root, "root/echo.py"), ECHO);
    await sh(host, "command -v python3 >/dev/null || apt-get install -qq -y python3 >/dev/null 2>&1");
    await sh(host, "systemd-run --quiet --unit=echo python3 /root/echo.py");
    await sh(host, "until curl -sS -o /dev/null http://127.0.0.1:8999/; do sleep 0.2; done 2>/dev/null");
  });
  afterAll(() => downHost(name));

  const curl = (url: string, options = "") => {
    const { hostname, port, protocol } = new URL(url);
    const resolve = `${hostname}:${port || (protocol === "https:" ? 443 : 80)}:127.0.0.1`;
    return sh(host, `curl -sk --path-as-is --resolve ${resolve} ${options} '${url}'`);
  };
  const status = (url: string, options = "") => curl(url, `-o /dev/null -w '%{http_code}' ${options}`);
  const PUBLIC = "https://matrix.example.org";

  it("[A4] other sites that nginx serves on the host are not taken offline silently", async () => {
    const limit = { "homeserver.media": { maxUploadSize: "3M" } };
    await sh(host, "echo 'server { listen 81; }' >/etc/nginx/sites-enabled/blog");
    expect(failureOf(await releases.apply(changed(stack, limit), "proxy")).text).toMatch(
      /other sites .*: \/etc\/nginx\/sites-enabled\/blog\. Link each one into \/etc\/hearth\/proxy\/sites/,
    );
    await sh(host, "ln -s /etc/nginx/sites-enabled/blog /etc/hearth/proxy/sites/blog.conf");
    ok(await releases.apply(changed(stack, limit), "proxy"));
    // nginx is told to reload and does it a moment later.
    const blog = () => status("http://blog.example.org:81/").catch(() => "");
    expect(await eventually(async () => (await blog()) === "200")).toBe(true);
    await sh(host, "rm /etc/nginx/sites-enabled/blog /etc/hearth/proxy/sites/blog.conf");
    ok(await releases.apply(stack, "proxy"));
  });

  it("[V9] passes paths on as they were signed", async () => {
    const path = "/_matrix/client/v3/directory/room/%23a%2Fb:example.org?x=%2F";
    expect(JSON.parse(await curl(PUBLIC + path)).path).toBe(path);
    const federation = "/_matrix/federation/v1/event/%24a%2Fb%2Bc";
    expect(JSON.parse(await curl(`https://example.org:8448${federation}`)).path).toBe(federation);
  });

  it("[V9] replaces what a client claims about its address", async () => {
    const { headers } = JSON.parse(
      await curl(`${PUBLIC}/_matrix/x`, "-H 'X-Forwarded-For: 6.6.6.6' -H 'X-Forwarded-Proto: http'"),
    );
    expect(headers).toMatchObject({
      "X-Forwarded-For": "127.0.0.1",
      "X-Forwarded-Proto": "https",
      Host: "matrix.example.org",
    });
  });

  it.each([
    "https://matrix.example.org/",
    "https://matrix.example.org/_synapse/admin/v1/server_version",
    "https://matrix.example.org/_synapse/metrics",
    "https://matrix.example.org/_matrix/../_synapse/admin/v1/server_version",
    "https://matrix.example.org/_matrix/%2e%2e/_synapse/admin/v1/server_version",
    "https://matrix.example.org/_synapse/admin/v2/users/..%2f..%2f..%2f..%2f_matrix/x",
    "https://matrix.example.org/_synapse/admin/v2/users/..%2f..%2f..%2f..%2f_synapse/client/x",
    "https://example.org/_matrix/client/versions",
    "https://matrix.example.org:8448/_matrix/client/versions",
    "https://matrix.example.org:8448/_synapse/client/x",
    "https://example.org:8448/_synapse/admin/v2/users/..%2f..%2f..%2f..%2f_matrix/key/x",
  ])("[V9] [A8] does not pass on %s", async (url) => {
    const answer = await curl(url, "-w ' %{http_code}'");
    expect(answer).toBe('{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"} 404');
  });

  it("[V7] takes uploads up to Synapse's limit and refuses one byte more in Matrix's own words", async () => {
    const upload = (bytes: number) =>
      sh(
        host,
        `head -c ${bytes} /dev/zero | curl -sk --resolve matrix.example.org:443:127.0.0.1 -H 'Expect:' --data-binary @- -w ' %{http_code}' ${PUBLIC}/_matrix/media/v3/upload`,
      );
    expect(JSON.parse((await upload(2 * MIB)).replace(/ 200$/, "")).size).toBe(2 * MIB);
    expect(await upload(2 * MIB + 1)).toBe(
      '{"errcode":"M_TOO_LARGE","error":"The request is too large"} 413',
    );
  });

  it("[V9] takes federation transactions that are larger than an upload may be", async () => {
    const sent = await sh(
      host,
      `head -c ${3 * MIB} /dev/zero | curl -sk --resolve example.org:8448:127.0.0.1 -T - -H 'Content-Length: ${3 * MIB}' https://example.org:8448/_matrix/federation/v1/send/1`,
    );
    expect(JSON.parse(sent).size).toBe(3 * MIB);
  });

  it.each(["https://example.org", "https://matrix.example.org"])(
    "[V3] serves the well-known documents at %s as JSON, with one CORS header",
    async (origin) => {
      for (const [path, key] of [
        ["server", "m.server"],
        ["client", "m.homeserver"],
      ]) {
        const answer = await curl(
          `${origin}/.well-known/matrix/${path}`,
          "-i -H 'Origin: https://app.example'",
        );
        expect(answer).toMatch(/^HTTP\/2 200/);
        expect(answer.match(/^content-type: .*$/gim)).toEqual(["content-type: application/json"]);
        expect(answer.match(/^access-control-allow-origin: .*$/gim)).toEqual([
          "access-control-allow-origin: *",
        ]);
        expect(JSON.parse(answer.split(/\r?\n\r?\n/)[1] ?? "")).toHaveProperty([key ?? ""]);
      }
      expect(await status(`${origin}/.well-known/matrix/support`)).toBe("404");
    },
  );

  it("[V9] sends plain HTTP to HTTPS and does not answer names that are not ours", async () => {
    expect(
      await curl("http://matrix.example.org/_matrix/x?y=1", "-o /dev/null -w '%{http_code} %{redirect_url}'"),
    ).toBe("301 https://matrix.example.org/_matrix/x?y=1");
    for (const url of ["http://other.example/", "https://other.example/", "https://other.example:8448/"]) {
      await expect(curl(url)).rejects.toThrow(/exit (35|52)/);
    }
  });

  it.each([
    ["1.1", 35],
    ["1.2", 0],
    ["1.3", 0],
  ])("[V9] TLS %s ends with %i", async (version, code) => {
    const command = `curl -sk --ciphers DEFAULT@SECLEVEL=0 --tlsv${version} --tls-max ${version} --resolve matrix.example.org:443:127.0.0.1 -o /dev/null ${PUBLIC}/ ; echo $?`;
    expect(await sh(host, command)).toBe(String(code));
  });

  it("[A9] keeps tokens in queries out of its log", async () => {
    await curl(`${PUBLIC}/_matrix/client/v3/sync?access_token=planted-token`);
    const log = () => sh(host, "tail -n 3 /var/log/nginx/access.log");
    const line = "GET /_matrix/client/v3/sync HTTP/2.0";
    expect(await eventually(async () => (await log()).includes(line))).toBe(true);
    expect(await sh(host, "cat /var/log/nginx/*.log")).not.toContain("planted-token");
  });

  it("[W10] says in Matrix's own words that Synapse is down, at once", async () => {
    await sh(host, "systemctl stop echo");
    const answer = await curl(`${PUBLIC}/_matrix/client/versions`, "-i --max-time 5");
    expect(answer).toMatch(/^HTTP\/2 502/);
    expect(answer.match(/^access-control-allow-origin: .*$/gim)).toEqual(["access-control-allow-origin: *"]);
    expect(answer).toContain('"errcode":"M_UNKNOWN"');
    expect(await status("https://example.org/.well-known/matrix/server")).toBe("200");
  });

  it("[A4] a configuration that nginx does not take is refused, and nginx serves on", async () => {
    const pid = await sh(host, "systemctl show -p MainPID --value nginx");
    const sites = "/etc/hearth/proxy/sites/matrix.conf";
    const file = { content: "server { listen 443 sll; }\n", mode: "0644", owner: "root", group: "root" };
    const failure = failureOf(
      await releases.apply(stack, "proxy", (wanted) => ({
        ...wanted,
        files: { ...wanted.files, [sites]: file },
      })),
    );
    expect(failure).toMatchObject({
      step: "validate",
      text: expect.stringContaining('invalid parameter "sll"'),
    });
    expect(await sh(host, "systemctl show -p MainPID --value nginx")).toBe(pid);
    expect(await status("https://example.org/.well-known/matrix/server")).toBe("200");
  });

  it("[V10] a new certificate is served after a reload, without a restart", async () => {
    const pid = await sh(host, "systemctl show -p MainPID --value nginx");
    // Each run of the program issues a new certificate.
    ok(await releases.apply(stack, "certificates"));
    ok(
      await releases.apply(stack, "proxy", (wanted) => ({
        ...wanted,
        revisions: { certificates: "renewed" },
      })),
    );
    const served =
      "openssl s_client -connect 127.0.0.1:443 -servername example.org </dev/null 2>/dev/null | openssl x509 -noout -fingerprint";
    const own = await sh(host, "openssl x509 -noout -fingerprint -in /etc/hearth/tls/fullchain.pem");
    expect(await eventually(async () => (await sh(host, served)) === own)).toBe(true);
    expect(await sh(host, "systemctl show -p MainPID --value nginx")).toBe(pid);
  });
});
