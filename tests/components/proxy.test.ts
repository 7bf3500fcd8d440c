import { type NginxPlan, renderMain, renderMatrix, renderUpstream } from "../../components/proxy/render";

const plan: NginxPlan = {
  nginx: "1.26.3",
  serverName: "example.org",
  publicHost: "matrix.example.org",
  upstream: "127.0.0.1:8008",
  maxUploadBytes: 100 * 1024 ** 2,
  readTimeout: "10m",
  federationPort: true,
  documents: { server: '{"m.server":"matrix.example.org:443"}', client: '{"m.homeserver":{}}' },
};

/** The virtual servers of a configuration: what they listen on, their names, the paths they answer. */
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
      "/_matrix/media/",
      "/_matrix/",
      "/_synapse/client/",
      "/.well-known/matrix/server",
      "/.well-known/matrix/client",
    ]);
  });

  it("answer servers on 8448 on the paths of federation only", () => {
    expect(find(renderMatrix(plan), 8448, "example.org")?.paths).toEqual([
      "/",
      "/_matrix/federation/",
      "/_matrix/key/",
      "/_matrix/media/",
    ]);
  });

  it("[V3] say at the bare domain where the homeserver is, and nothing more", () => {
    expect(find(renderMatrix(plan), 443, "example.org")?.paths).toEqual([
      "/",
      "/.well-known/matrix/server",
      "/.well-known/matrix/client",
    ]);
  });

  it("[V3] leave the bare domain to its own web server when it has one", () => {
    const { documents: _, ...elsewhere } = plan;
    const text = renderMatrix(elsewhere);
    expect(servers(text).flatMap(({ names }) => names)).not.toContain("example.org");
    expect(text).not.toContain("well-known");
  });

  it("[V3] are one server when server name and public host are one name", () => {
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
  ])("is switched on in the form that nginx %s takes: directive %s", (nginx, directive) => {
    const text = renderMatrix({ ...plan, nginx });
    expect(text.includes("http2 on;")).toBe(directive);
    expect(text.includes("listen 443 ssl http2")).toBe(!directive);
  });
});

it("[V7] [H9] uploads have exactly Synapse's limit; other requests at least what Synapse takes", () => {
  const limits = (bytes: number) => {
    const body =
      find(renderMatrix({ ...plan, maxUploadBytes: bytes }), 443, "matrix.example.org")?.body ?? "";
    const pairs = [...body.matchAll(/location (\/_\S+) \{[^}]*\}\s+client_max_body_size (\d+);/g)];
    return Object.fromEntries(pairs.map(([, path, size]) => [path, Number(size)]));
  };
  expect(limits(100 * 1024 ** 2)).toEqual({
    "/_matrix/": 104_857_600,
    "/_matrix/media/": 104_857_600,
    "/_synapse/client/": 104_857_600,
  });
  expect(limits(1024 ** 2)).toMatchObject({ "/_matrix/": 13_107_200, "/_matrix/media/": 1_048_576 });
});

it("[V9] the address of the client replaces whatever it claims, and the path stays as it was signed", () => {
  const text = renderUpstream(plan);
  expect(text).toContain("proxy_set_header X-Forwarded-For $remote_addr;");
  expect(text).not.toContain("proxy_add_x_forwarded_for");
  expect(text).toContain("proxy_pass http://synapse;");
  expect(text).toContain("proxy_read_timeout 10m;");
});

it("[A9] no query, where access tokens are, gets into the log", () => {
  const main = renderMain();
  const format = /log_format hearth '(.*)';/.exec(main)?.[1];
  expect(format).not.toMatch(/\$(request|request_uri|args|query_string|http_referer)\b/);
  expect(main).toContain("access_log /var/log/nginx/access.log hearth;");
});

it("includes nothing of the package's own sites", () => {
  expect([...renderMain().matchAll(/include ([^;]+);/g)].map(([, path]) => path)).toEqual([
    "/etc/nginx/mime.types",
    "/etc/hearth/proxy/sites/*.conf",
  ]);
});
