import { type CaddyPlan, renderCaddyfile } from "../../components/proxy/caddy";
import { directive } from "../../components/proxy/caddyfile";
import { renderSocket } from "../../runtimes/quadlet/socket";
import { MIB, proxyRelease } from "./caddy-host";

const NAME = "chat.tail1a2b.ts.net";
const plan: CaddyPlan = {
  ...{ serverName: NAME, publicHost: NAME },
  upstream: { kind: "socket", path: "/run/hearth-synapse/synapse.sock" },
  ...{ maxUploadBytes: 10 * MIB, readTimeout: "10m", federationPort: true, ipv6: true },
  documents: { server: '{"m.server":"a"}', client: '{"m.homeserver":{}}' },
};
const open: CaddyPlan = {
  ...plan,
  ...{ serverName: "example.org", publicHost: "matrix.example.org" },
  certificate: { certificateFile: "/tls/fullchain.pem", keyFile: "/run/secrets/tls_key" },
};

/** The sites of a Caddyfile and their contents. */
function sites(text: string): Record<string, string> {
  const found = [...text.matchAll(/^(http\S*(?:, http\S*)*) \{\n([\s\S]*?)^\}/gm)];
  return Object.fromEntries(found.map(([, head = "", body = ""]) => [head, body]));
}

const UPLOADS = ["v3", "r0", "v1"].map((version) => `/_matrix/media/${version}/upload`);
const paths = (site = "") => [...site.matchAll(/orig_uri\} `?\^(\/_\S+?)`?$/gm)].map(([, path]) => path);
const content = (release: ReturnType<typeof proxyRelease>, end: string) =>
  Object.entries(release.files).find(([path]) => path.endsWith(end))?.[1].content ?? "";

describe("[H4] behind a tunnel", () => {
  const text = renderCaddyfile(plan);

  it("forwards only the paths that clients and servers need, and compares the raw path", () => {
    const { [`http://${NAME}`]: site, ...others } = sites(text);
    expect(paths(site)).toEqual([
      ...UPLOADS,
      "/_matrix/federation/v1/send/",
      "/_matrix/",
      "/_synapse/client/",
    ]);
    expect(Object.keys(others)).toEqual(["http://", "http://127.0.0.1:8081"]);
    expect(Object.values(others).join()).not.toContain("import synapse");
  });

  it("has no certificate and no federation port, and trusts only addresses from the host itself", () => {
    expect(text).not.toMatch(/\btls\b|fd\/4|https:\/\/(?!chat)/);
    expect(text).toMatch(/trusted_proxies static 127\.0\.0\.0\/8 ::1\/128\n\s*trusted_proxies_strict/);
  });

  it("does not serve the documents if another web server serves them", () => {
    const { documents: _, ...elsewhere } = plan;
    expect(renderCaddyfile(elsewhere)).not.toContain("well-known");
  });
});

describe("[H4] without a tunnel", () => {
  const text = renderCaddyfile(open);

  it("answers for each name and port on its own paths only", () => {
    const found = sites(text);
    expect(paths(found["https://matrix.example.org"])).toContain("/_matrix/");
    expect(paths(found["https://example.org"])).toEqual([]);
    expect(paths(found["https://matrix.example.org, https://example.org"])).toEqual([
      "/_matrix/federation/v1/send/",
      "/_matrix/federation/",
      "/_matrix/key/",
      "/_matrix/media/",
    ]);
  });

  it("trusts no header about the client's address", () => {
    expect(text).not.toContain("trusted_proxies");
  });
});

it("[H9] uploads have exactly Synapse's limit, transactions have the size that Synapse accepts, other requests are small", () => {
  const limits = (maxUploadBytes: number, of: RegExp) =>
    [...renderCaddyfile({ ...plan, maxUploadBytes }).matchAll(of)].map(([, size]) => Number(size));
  // The limits of the body and of its announced size.
  for (const limit of [/max_size (\d+)/g, /@too_large expression .* > (\d+)/g]) {
    const others = [13_107_200, 2 * MIB, 2 * MIB];
    expect(limits(100 * MIB, limit)).toEqual([...Array(3).fill(100 * MIB), ...others]);
    expect(limits(MIB, limit)).toEqual([...Array(3).fill(MIB), ...others]);
  }
});

it("uploads have their own few connections to Synapse, and every request must arrive within a time limit", () => {
  const text = renderCaddyfile({ ...plan, maxUploadBytes: 100 * MIB });
  const uploads = text.match(/@too_large expression .* > 104857600$[\s\S]*?import (\S+)$/gm) ?? [];
  expect(uploads).toHaveLength(3);
  for (const body of uploads) expect(body).toMatch(/import uploads$/);
  expect(text.match(/import synapse$/gm)).toHaveLength(3);
  expect(/\(uploads\) \{[\s\S]*?max_conns_per_host (\d+)/.exec(text)?.[1]).toBe("10");
  // 100 MiB at 64 KiB a second.
  expect(text).toContain("read_body 1600s");
  // Never shorter than Synapse may take for an answer, because Go would end that request.
  expect(renderCaddyfile({ ...plan, maxUploadBytes: MIB })).toContain("read_body 600s");
});

it("sends the HSTS header for every name, also with its own answers", () => {
  for (const text of [renderCaddyfile(plan), renderCaddyfile(open)]) {
    const named = Object.entries(sites(text)).filter(([head]) => /example|tail1a2b/.test(head));
    for (const [, body] of named) {
      const own = body.match(/handle_errors .*\n\t\theader Strict-Transport-Security/g) ?? [];
      expect(own).toHaveLength(body.match(/handle_errors/g)?.length ?? 0);
      expect(body).toMatch(/route \{\n\t\theader Strict-Transport-Security `max-age=31536000`\n/);
    }
  }
});

it.each(["a\nb", "a`b", "{env.SECRET}", "x{$HOME}y", "{file./etc/passwd}"])(
  "refuses a text that could leave its word: %j",
  (text) => {
    expect(() => directive("respond", text)).toThrow(/Caddy/);
  },
);

describe("[H4] the release", () => {
  it("behind a tunnel listens on loopback and is checked there", () => {
    const release = proxyRelease();
    expect(content(release, ".socket").match(/^ListenStream=.*$/gm)).toEqual(["ListenStream=127.0.0.1:8080"]);
    expect(release.health).toMatchObject({
      answers: { kind: "http", url: "http://127.0.0.1:8080/", status: 404 },
    });
    expect(content(release, ".container")).not.toMatch(/PublishPort|Secret=/);
  });

  it("reloads for the Caddyfile, and restarts for a certificate if there is one", () => {
    const units = ({ units: { "hearth-caddy.service": unit } }: ReturnType<typeof proxyRelease>) => unit;
    const alone = units(proxyRelease());
    expect(alone?.restartOn).not.toContain("revision:certificates");
    expect(alone).toMatchObject({
      reloadOn: ["/home/debian/.config/hearth/proxy/Caddyfile"],
    });
    expect(units(proxyRelease({ tls: true }))?.restartOn).toContain("revision:certificates");
  });

  it("without a tunnel listens for federation too, and has the key as a Podman secret", () => {
    const release = proxyRelease({
      tls: true,
      listen: { address: "::", port: 8443 },
      plan: { federationPort: true },
    });
    expect(content(release, ".socket").match(/^ListenStream=.*$/gm)).toEqual([
      "ListenStream=[::]:8443",
      "ListenStream=[::]:8448",
    ]);
    expect(content(release, ".container")).toContain("Secret=hearth-tls-key,type=mount,target=tls_key");
    expect(release.health).toMatchObject({
      answers: { argv: [...Array(3).fill(expect.any(String)), "127.0.0.1", "8443", "8448"] },
    });
  });
});

it("[W8] on a host without IPv6, all addresses means all IPv4 addresses", () => {
  const listen = { address: "::", port: 8443 };
  const release = proxyRelease({ tls: true, listen, plan: { federationPort: true, ipv6: false } });
  expect(content(release, ".socket").match(/^ListenStream=.*$/gm)).toEqual([
    "ListenStream=0.0.0.0:8443",
    "ListenStream=0.0.0.0:8448",
  ]);
});

it("a socket file names each listener in order", () => {
  const text = renderSocket("x", [
    { address: "0.0.0.0", port: 1024 },
    { address: "::1", port: 8448 },
  ]);
  expect(text.match(/^ListenStream=.*$/gm)).toEqual(["ListenStream=0.0.0.0:1024", "ListenStream=[::1]:8448"]);
});
