import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CONCURRENT } from "../../components/proxy/plan";
import { downHost, type Host, SUITES, upHost } from "../../sandbox";
import { type Answer, ok, sh } from "../support/host-programs";
import { eventually } from "../support/jobs";
import { changed, DEBIAN_12, DEBIAN_13, fixture } from "../support/program";
import { failureOf, RealReleases } from "../support/real-release";
import { AT_SYNAPSE } from "../support/synapse-socket";

/** Replaces Synapse, and returns the request that it got, byte for byte. */
const ECHO = `
import http.server, json, os, socketserver
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
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128  # a full queue of a unix socket refuses at once
os.makedirs("/run/hearth-synapse", exist_ok=True)
server = Server("/run/hearth-synapse/synapse.sock", Echo)
os.chmod("/run/hearth-synapse/synapse.sock", 0o666)
server.serve_forever()
`;

const MIB = 1024 ** 2;
const stack = changed(fixture("minimal"), {
  "homeserver.media": { maxUploadSize: "2M" },
});
const CASES = SUITES.map((suite) => ({ suite, facts: suite === "bookworm" ? DEBIAN_12 : DEBIAN_13 }));

describe.each(CASES)("nginx of $suite", ({ suite, facts }) => {
  const name = `nginx-${suite}-${process.pid}`;
  let host: Host;
  let releases: RealReleases;
  /** Results for a host that already serves something: a site, a Synapse and a program on a port. */
  let occupied: { looks: Answer[]; applies: Answer[]; after: string };

  /** Such a host: a site in the package's file, the vendor's Synapse with its key, a program on the federation port. */
  async function occupiedHost(): Promise<typeof occupied> {
    await sh(
      host,
      `apt-get update -qq; apt-get install -qq -y nginx curl python3 >/dev/null 2>&1; cd /etc/nginx/sites-available; cp -p default /run/default
       sed -i 's/try_files.*/return 200 "still here";/' default; systemctl restart nginx
       printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/usr/lib/systemd/system/matrix-synapse.service; systemctl daemon-reload
       systemctl start matrix-synapse; mkdir /etc/matrix-synapse; touch /etc/matrix-synapse/homeserver.signing.key; systemd-run --quiet --unit=holder python3 -m http.server 8448
       until curl -sS -o /dev/null http://127.0.0.1:8448/; do sleep 0.2; done 2>/dev/null`,
    );
    const looks = [await releases.observe(stack, "proxy"), await releases.observe(stack, "homeserver")];
    const applies = [await releases.apply(stack, "proxy"), await releases.apply(stack, "homeserver")];
    const after = await sh(
      host,
      "curl -sS http://127.0.0.1/; echo; systemctl is-active matrix-synapse holder; ls -d /etc/hearth/proxy /etc/hearth/homeserver /opt/hearth 2>&1 || true",
    );
    await sh(
      host,
      `systemctl stop holder matrix-synapse; rm -r /usr/lib/systemd/system/matrix-synapse.service /etc/matrix-synapse; systemctl daemon-reload
       mv /run/default /etc/nginx/sites-available/default; systemctl restart nginx`,
    );
    return { looks, applies, after };
  }

  beforeAll(async () => {
    host = await upHost({ name, suite });
    releases = new RealReleases(host, facts);
    occupied = await occupiedHost();
    ok(await releases.apply(stack, "certificates"));
    // Hearth takes over an existing nginx that serves no site.
    ok(await releases.apply(stack, "proxy"));
    writeFileSync(join(host.root, "root/echo.py"), ECHO);
    await sh(host, "systemd-run --quiet --unit=echo python3 /root/echo.py");
    await sh(host, `until curl -sS -o /dev/null ${AT_SYNAPSE}/; do sleep 0.2; done 2>/dev/null`);
  });
  afterAll(() => downHost(name));

  const curl = (url: string, options = "") => {
    const { hostname, port, protocol } = new URL(url);
    const resolve = `${hostname}:${port || (protocol === "https:" ? 443 : 80)}:127.0.0.1`;
    return sh(host, `curl -sk --path-as-is --resolve ${resolve} ${options} '${url}'`);
  };
  const status = (url: string, options = "") => curl(url, `-o /dev/null -w '%{http_code}' ${options}`);
  const PUBLIC = "https://matrix.example.org";

  it("[W1] [W2] [W11] existing services are reported, and the change is refused before anything changes", () => {
    const words = (answers: Answer[]) =>
      answers.map((answer) => answer.of("obstacle").map(([text = ""]) => text));
    const expected = [
      [
        expect.stringMatching(/^port 8448 is held by python3 \(pid \d+, holder\.service\)$/),
        "nginx serves another site on this host, which would go offline: /etc/nginx/sites-enabled/default",
      ],
      [
        expect.stringMatching(
          /^matrix-synapse\.service is on this host already, and no release of Hearth made it: \/(usr\/)?lib\/systemd\/system\/matrix-synapse\.service, active$/,
        ),
        "another Synapse has left its key or its data in /etc/matrix-synapse, and no release of Hearth made it",
      ],
    ];
    expect(words(occupied.looks)).toEqual(expected);
    expect(words(occupied.applies)).toEqual(expected);
    expect(occupied.applies.map(({ end }) => end)).toEqual(["end refused", "end refused"]);
    expect(occupied.after).toMatch(/^still here\nactive\nactive\n(ls: cannot access [^\n]*\n?){3}$/);
  });

  it("[A4] other sites of nginx on the host do not go offline without a message", async () => {
    const limit = { "homeserver.media": { maxUploadSize: "3M" } };
    await sh(host, "echo 'server { listen 81; }' >/etc/nginx/sites-enabled/blog");
    const refused = await releases.apply(changed(stack, limit), "proxy");
    expect(refused.end).toBe("end refused");
    expect(refused.of("obstacle")).toEqual([
      [
        "nginx serves another site on this host, which would go offline: /etc/nginx/sites-enabled/blog",
        expect.stringContaining("ln -s '/etc/nginx/sites-enabled/blog' /etc/hearth/proxy/sites/blog.conf"),
      ],
    ]);
    await sh(host, "ln -s /etc/nginx/sites-enabled/blog /etc/hearth/proxy/sites/blog.conf");
    ok(await releases.apply(changed(stack, limit), "proxy"));
    // nginx reloads some time after the command.
    const blog = () => status("http://blog.example.org:81/").catch(() => "");
    expect(await eventually(async () => (await blog()) === "200")).toBe(true);
    await sh(host, "rm /etc/nginx/sites-enabled/blog /etc/hearth/proxy/sites/blog.conf");
    ok(await releases.apply(stack, "proxy"));
  });

  it("[V9] forwards paths as they were signed", async () => {
    const path = "/_matrix/client/v3/directory/room/%23a%2Fb:example.org?x=%2F";
    expect(JSON.parse(await curl(PUBLIC + path)).path).toBe(path);
    const federation = "/_matrix/federation/v1/event/%24a%2Fb%2Bc";
    expect(JSON.parse(await curl(`https://example.org:8448${federation}`)).path).toBe(federation);
  });

  it("[V9] replaces the address that a client claims", async () => {
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
  ])("[V9] [A8] does not forward %s", async (url) => {
    const answer = await curl(url, "-w ' %{http_code}'");
    expect(answer).toBe('{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"} 404');
  });

  it("[V7] accepts uploads up to Synapse's limit and refuses one byte more with a Matrix error", async () => {
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

  it("[V9] accepts federation transactions that are larger than an upload may be", async () => {
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

  it("[V9] redirects HTTP to HTTPS and does not answer for unknown names", async () => {
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
  ])("[V9] curl with TLS %s ends with status %i", async (version, code) => {
    const command = `curl -sk --ciphers DEFAULT@SECLEVEL=0 --tlsv${version} --tls-max ${version} --resolve matrix.example.org:443:127.0.0.1 -o /dev/null ${PUBLIC}/ ; echo $?`;
    expect(await sh(host, command)).toBe(String(code));
  });

  it("is confined, and can still do its work", async () => {
    const exposure = await sh(host, "systemd-analyze security --no-pager nginx | tail -n 1");
    expect(Number(/level for [^:]+: ([\d.]+)/.exec(exposure)?.[1])).toBeLessThan(3);
    // nginx opens its logs again after a rotation.
    await sh(
      host,
      "mv /var/log/nginx/access.log /var/log/nginx/access.log.1; kill -USR1 $(cat /run/nginx.pid)",
    );
    await curl(`${PUBLIC}/rotated`);
    const rotated = () => sh(host, "cat /var/log/nginx/access.log || true");
    expect(await eventually(async () => (await rotated()).includes("GET /rotated"))).toBe(true);
  });

  it("sends the HSTS header with every answer, also with its own", async () => {
    const urls = [
      ...[`${PUBLIC}/_matrix/x`, `${PUBLIC}/none`, `${PUBLIC}/.well-known/matrix/client`],
      ...["https://example.org/.well-known/matrix/server", "https://example.org/none"],
      ...["https://example.org:8448/_matrix/key/v2/server", "https://example.org:8448/none"],
    ];
    for (const url of urls) {
      const answer = await curl(url, "-o /dev/null -D -");
      const found = answer.match(/^strict-transport-security: .*$/gim) ?? [];
      expect([url, found]).toEqual([url, ["strict-transport-security: max-age=31536000"]]);
    }
  });

  it("does not answer a request for one name after a handshake for another", async () => {
    for (const port of [443, 8448]) {
      const url = `https://matrix.example.org:${port}/`;
      await expect(curl(url, "--http1.1 -H 'Host: other.example'")).rejects.toThrow(/exit (52|56)/);
    }
  });

  describe("requests whose bodies never end", () => {
    /** Sends a head and a part of the body, and keeps the connections open; returns the answers and what the host keeps. */
    const slow = (path: string, announced: number, sent: number, connections = 10) =>
      sh(
        host,
        `python3 - <<'END'
import collections, os, socket, ssl, time
context = ssl._create_unverified_context()
def opened():
    plain = socket.create_connection(("127.0.0.1", 443))
    secure = context.wrap_socket(plain, server_hostname="matrix.example.org")
    secure.settimeout(10)
    head = "POST ${path} HTTP/1.1\\r\\nHost: matrix.example.org\\r\\nContent-Length: ${announced}\\r\\n\\r\\n"
    secure.sendall(head.encode())
    try:
        for _ in range(${sent} // 65536):
            secure.sendall(bytes(65536))
    except OSError:
        pass
    return secure
held = [opened() for _ in range(${connections})]
time.sleep(1)
def said(connection):
    connection.settimeout(0.5)
    try:
        return connection.recv(12).decode()[-3:] or "cut"
    except TimeoutError:
        return "none"
    except OSError:
        return "cut"
def kept():
    total = 0
    for pid in open("/run/nginx.pid").read().split() + os.popen("pgrep -P $(cat /run/nginx.pid)").read().split():
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                if os.readlink(f"/proc/{pid}/fd/{fd}").startswith("/var/lib/nginx/"):
                    total += os.stat(f"/proc/{pid}/fd/{fd}").st_size
            except OSError:
                pass
    return total
disk = kept()
found = collections.Counter(said(connection) for connection in held)
print(disk, *(f"{name}={found[name]}" for name in sorted(found)))
END`,
      );

    it("are refused immediately on a path without large bodies, and do not fill the disk", async () => {
      expect(await slow("/_matrix/client/v3/login", 12 * MIB, MIB)).toBe("0 413=10");
    });

    it("are forwarded as uploads without a copy in nginx", async () => {
      expect(await slow("/_matrix/media/v3/upload", 2 * MIB, MIB)).toBe("0 none=10");
    });

    it("are limited for each address; further ones get an answer to try again later", async () => {
      const { address } = CONCURRENT.large;
      const answer = await slow("/_matrix/client/v3/login", 2 * MIB, MIB);
      expect(answer).toMatch(new RegExp(` 429=${10 - address} none=${address}$`));
      expect(Number.parseInt(answer, 10)).toBeLessThanOrEqual(address * 1.1 * MIB);
      expect(await slow("/_matrix/media/v3/upload", 2 * MIB, MIB, CONCURRENT.uploads.address + 2)).toBe(
        `0 429=2 none=${CONCURRENT.uploads.address}`,
      );
      // Small requests count separately: they are answered meanwhile, and the next large one is accepted.
      expect(await status(`${PUBLIC}/_matrix/client/versions`)).toBe("200");
      expect(await status(`${PUBLIC}/_matrix/x`, "-H 'Expect:' --data-binary @/bin/bash")).toBe("200");
    });
  });

  it("[A9] keeps tokens in queries out of its log", async () => {
    await curl(`${PUBLIC}/_matrix/client/v3/sync?access_token=planted-token`);
    const log = () => sh(host, "tail -n 3 /var/log/nginx/access.log");
    const line = "GET /_matrix/client/v3/sync HTTP/2.0";
    expect(await eventually(async () => (await log()).includes(line))).toBe(true);
    expect(await sh(host, "cat /var/log/nginx/*.log")).not.toContain("planted-token");
  });

  it("[A9] keeps them out of every log also when a request fails", async () => {
    const failing: [string, string, string][] = [
      ["/_matrix/client/v3/sync?access_token=planted", "", "502"],
      ["/_synapse/client/password_reset/email/submit_token?token=planted", "", "502"],
      ["/_matrix/client/v3/sync%3Faccess_token=planted", "", "502"],
      ["/_matrix/x?access_token=planted", "--http1.1 -H 'Content-Length: 99999999'", "413"],
      ["/none?access_token=planted", "-H 'Referer: https://x/?access_token=planted'", "404"],
    ];
    await sh(host, "systemctl stop echo");
    try {
      for (const [path, options, code] of failing) {
        expect([path, await status(PUBLIC + path, `-X POST ${options}`)]).toEqual([path, code]);
      }
      // A missing socket, and no space for bodies: nginx logs these with a higher level.
      await sh(
        host,
        `sed -i 's/synapse.sock/none.sock/' /etc/hearth/proxy/sites/matrix.conf
         mount -t tmpfs -o size=4k none /var/lib/nginx/body; systemctl restart nginx`,
      );
      const send = "-X POST -H 'Expect:' --data-binary @/bin/bash";
      expect(await status(`${PUBLIC}/_matrix/x?access_token=planted`)).toBe("502");
      expect(await status(`${PUBLIC}/_matrix/x?access_token=planted`, send)).toBe("500");
    } finally {
      await sh(
        host,
        "umount /var/lib/nginx/body 2>/dev/null; rm -f /run/hearth-synapse/synapse.sock; systemd-run --quiet --unit=echo python3 /root/echo.py",
      );
      ok(await releases.apply(stack, "proxy"));
      await sh(
        host,
        `systemctl restart nginx; until curl -sS -o /dev/null ${AT_SYNAPSE}/; do sleep 0.2; done 2>/dev/null`,
      );
    }
    const lines = await sh(host, "grep -c 502 /var/log/nginx/access.log");
    expect(Number(lines)).toBeGreaterThanOrEqual(4);
    const everything =
      "cat /var/log/nginx/*; journalctl --no-pager -u nginx; cat /var/lib/nginx/*/* 2>/dev/null || true";
    expect(await sh(host, everything)).not.toContain("planted");
  });

  it("[W10] answers immediately with a Matrix error if Synapse is down", async () => {
    await sh(host, "systemctl stop echo");
    const answer = await curl(`${PUBLIC}/_matrix/client/versions`, "-i --max-time 5");
    expect(answer).toMatch(/^HTTP\/2 502/);
    expect(answer.match(/^access-control-allow-origin: .*$/gim)).toEqual(["access-control-allow-origin: *"]);
    expect(answer).toContain('"errcode":"M_UNKNOWN"');
    expect(await status("https://example.org/.well-known/matrix/server")).toBe("200");
  });

  it("[A4] a configuration that nginx does not accept is refused, and nginx continues to serve", async () => {
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
