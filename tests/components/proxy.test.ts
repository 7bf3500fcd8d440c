import { CERTIFICATE_PATHS } from "../../components/certificates/paths";
import { type NginxPlan, renderMain, renderMatrix, renderUpstream } from "../../components/proxy/render";

const plan: NginxPlan = {
  nginx: "1.26.3",
  serverName: "example.org",
  publicHost: "matrix.example.org",
  upstream: { kind: "socket", path: "/run/hearth-synapse/synapse.sock" },
  maxUploadBytes: 100 * 1024 ** 2,
  readTimeout: "10m",
  federationPort: true,
  ipv6: true,
  certificate: CERTIFICATE_PATHS.files,
  challenged: false,
  documents: { server: '{"m.server":"matrix.example.org:443"}', client: '{"m.homeserver":{}}' },
};

/** The virtual servers of a configuration: their ports, names and paths. */
function servers(text: string) {
  return text
    .split(/^server \{$/m)
    .slice(1)
    .map((body) => ({
      ports: [...body.matchAll(/listen (\d+)([^;]*);/g)].map(([, port, options]) => `${port}${options}`),
      names: /server_name ([^;]+);/.exec(body)?.[1]?.split(" ") ?? [],
      paths: [...body.matchAll(/location (?:= )?(\/\S*) \{/g)].map(([, path]) => path),
      body,
    }));
}

const find = (text: string, port: number, name: string) =>
  servers(text).find(
    ({ ports, names }) => names.includes(name) && ports.some((p) => p.startsWith(String(port))),
  );

describe("[V9] the public names", () => {
  it("answer clients and servers on 443 on the paths they need, and nothing else", () => {
    expect(find(renderMatrix(plan), 443, "matrix.example.org")?.paths).toEqual([
      "/",
      "/_matrix/media/v3/upload",
      "/_matrix/media/r0/upload",
      "/_matrix/media/v1/upload",
      "/_matrix/federation/v1/send/",
      "/_matrix/",
      "/_synapse/client/",
      "/.well-known/matrix/server",
      "/.well-known/matrix/client",
    ]);
  });

  it("answer servers on 8448 on the paths of federation only", () => {
    expect(find(renderMatrix(plan), 8448, "example.org")?.paths).toEqual([
      "/",
      "/_matrix/federation/v1/send/",
      "/_matrix/federation/",
      "/_matrix/key/",
      "/_matrix/media/",
    ]);
  });

  it("[V3] serve only the well-known documents at the bare domain", () => {
    expect(find(renderMatrix(plan), 443, "example.org")?.paths).toEqual([
      "/",
      "/.well-known/matrix/server",
      "/.well-known/matrix/client",
    ]);
  });

  it("[V3] do not include the bare domain if it has its own web server", () => {
    const { documents: _, ...elsewhere } = plan;
    const text = renderMatrix(elsewhere);
    expect(servers(text).flatMap(({ names }) => names)).not.toContain("example.org");
    expect(text).not.toContain("well-known");
  });

  it("[V3] are one server if server name and public host are the same", () => {
    const text = renderMatrix({ ...plan, serverName: plan.publicHost });
    expect(
      servers(text).filter(({ ports, names }) => names.length > 0 && ports[0]?.startsWith("443")),
    ).toHaveLength(1);
  });

  it("never name the admin API or metrics", () => {
    expect(renderMatrix(plan)).not.toMatch(/location[^\n]*(admin|metrics)/);
  });
});

describe("[V9] HTTP/2", () => {
  it.each([
    ["1.22.1", false],
    ["1.25.0", false],
    ["1.25.1", true],
    ["1.26.3", true],
    ["1.30.0", true],
    ["2.0.0", true],
  ])("is turned on in the form that nginx %s accepts: directive %s", (nginx, directive) => {
    const text = renderMatrix({ ...plan, nginx });
    expect(text.includes("http2 on;")).toBe(directive);
    expect(text.includes("listen 443 ssl http2")).toBe(!directive);
  });
});

it("[V7] [H9] uploads have exactly Synapse's limit, transactions have the size that Synapse accepts, other requests are small", () => {
  const limits = (bytes: number) => {
    const body =
      find(renderMatrix({ ...plan, maxUploadBytes: bytes }), 443, "matrix.example.org")?.body ?? "";
    const pairs = [...body.matchAll(/location (\/_\S+) \{[^}]*\}\s+client_max_body_size (\d+);/g)];
    return Object.fromEntries(pairs.map(([, path, size]) => [path, Number(size)]));
  };
  const others = {
    "/_matrix/federation/v1/send/": 13_107_200,
    "/_matrix/": 2_097_152,
    "/_synapse/client/": 2_097_152,
  };
  for (const upload of [1024 ** 2, 100 * 1024 ** 2]) {
    expect(limits(upload)).toEqual({
      ...others,
      "/_matrix/media/v3/upload": upload,
      "/_matrix/media/r0/upload": upload,
      "/_matrix/media/v1/upload": upload,
    });
  }
});

it("[V9] the client's real address replaces the address that it claims, and the path stays as it was signed", () => {
  const text = renderUpstream(plan);
  expect(text).toContain("proxy_set_header X-Forwarded-For $remote_addr;");
  expect(text).not.toContain("proxy_add_x_forwarded_for");
  expect(text).toContain("proxy_pass http://synapse;");
  expect(text).toContain("proxy_read_timeout 10m;");
});

it("[A9] queries, which contain access tokens, are not logged", () => {
  const main = renderMain("www-data");
  const format = /log_format hearth '(.*)';/.exec(main)?.[1];
  expect(format).not.toMatch(/\$(request|request_uri|args|query_string|http_referer)\b/);
  expect(main).toContain("access_log /var/log/nginx/access.log hearth;");
});

describe("what a stranger can make the host hold", () => {
  const locations = (text: string) =>
    [...text.matchAll(/location (\/_\S+) \{([\s\S]*?)^ {4}\}/gm)].map(([, path = "", body = ""]) => ({
      path,
      body,
    }));

  it("every location that forwards requests limits requests and bodies, for each client and in total", () => {
    const found = locations(renderMatrix(plan));
    expect(found.length).toBeGreaterThan(8);
    for (const { path, body } of found) {
      const zone = path.endsWith("/upload") ? "uploads" : "large";
      expect([...body.matchAll(/limit_conn (\S+) \d+;/g)].map(([, name]) => name)).toEqual([
        ...["clients", "names", zone, `all_${zone}`],
      ]);
      expect(body).toMatch(/client_max_body_size [1-9]/);
      expect([path, body.includes("proxy_request_buffering off;")]).toEqual([path, zone === "uploads"]);
    }
  });

  it.each([
    ["192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8:1:2::6", "2001:db8:1:2"],
    ["2001:db8:1::6", "2001:db8:1"],
    ["2001:db8::5:6:7:8", "2001:db8"],
    ["2001:db8::1", "2001:db8"],
    ["::1", "::1"],
  ])("%s counts as %s: a /64 is one client", (address, client) => {
    const map = /map \$remote_addr \$client \{([\s\S]*?)\n {4}\}/.exec(renderMain("www-data"))?.[1] ?? "";
    const patterns = [...map.matchAll(/"~(.*)" \$/g)].map(([, pattern = ""]) => new RegExp(pattern));
    expect(patterns).toHaveLength(2);
    const groups = patterns.map((pattern) => pattern.exec(address)?.groups).find((found) => found);
    expect(Object.values(groups ?? { none: address })[0]).toBe(client);
  });
});

it("[W8] a host without IPv6 has no IPv6 listener", () => {
  const text = renderMatrix({ ...plan, ipv6: false });
  expect(text).not.toContain("[::]");
  expect(text.match(/listen \d+/g)).toEqual(renderMatrix(plan).match(/listen \d+/g));
});

it("every name with TLS sends the HSTS header, and so does every answer from nginx itself", () => {
  const secure = servers(renderMatrix(plan)).filter(({ ports }) => ports.some((port) => /ssl/.test(port)));
  expect(secure).toHaveLength(5);
  for (const { names, body } of secure) {
    if (names.length === 0) expect(body).toMatch(/ssl_reject_handshake on;[\s\S]*return 444;/);
    else expect(body).toMatch(/^ {4}add_header Strict-Transport-Security/m);
    const own = body.match(/add_header Access-Control-Allow-Origin/g)?.length ?? 0;
    expect(
      body.match(/^ {8}add_header Strict-Transport-Security max-age=31536000 always;/gm) ?? [],
    ).toHaveLength(own);
  }
});

it("does not include the package's sites", () => {
  expect([...renderMain("www-data").matchAll(/include ([^;]+);/g)].map(([, path]) => path)).toEqual([
    "/etc/nginx/mime.types",
    "/etc/hearth/proxy/sites/*.conf",
  ]);
});
