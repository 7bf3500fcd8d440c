import { proxyUrlOf, summaryOf } from "../../components/verification";
import { CADDY_DEFAULTS } from "../../config-schemas/proxy/schema";
import { parsedFixture } from "../fixtures/stacks";
import { changed, fixture, runProgram } from "../support/program";

const checksOf = async (stack = fixture("full")) => {
  const run = await runProgram(stack);
  return run.resources.find(({ type }) => type.endsWith(":Verification"));
};

it("[V13] the checks run after the releases that they check, and again when one of these changes", async () => {
  const checks = await checksOf();
  expect(checks?.inputs.revisions).toEqual({
    postgres: "digest-of-edge-1-postgres",
    certificates: "digest-of-edge-1-certificates",
    homeserver: "digest-of-edge-1-homeserver",
    proxy: "digest-of-edge-1-proxy",
  });
  expect(checks?.dependsOn).toEqual(
    expect.arrayContaining([
      "edge-1-postgres",
      "edge-1-certificates",
      "edge-1-homeserver",
      "edge-1-proxy",
      "account-alice",
    ]),
  );
});

it("[V7] [V13] they compare with the stack's limits, in bytes", async () => {
  expect((await checksOf())?.inputs).toMatchObject({
    maxUploadBytes: 100 * 1024 ** 2,
    mediaLimitBytes: 20 * 1024 ** 3,
    database: {
      name: "synapse",
      role: "matrix-synapse",
      maxConnections: 8,
      console: ["runuser", "--user", "postgres", "--", "psql", "--host=/run/postgresql", "--port=5432"],
    },
    federationPort: true,
    delegation: "here",
  });
});

it("there are no checks if the stack turns them off", async () => {
  expect(await checksOf(changed(fixture("minimal"), { "verification.enabled": false }))).toBeUndefined();
});

it("the stack's output is one line: how many checks passed, and which did not run", () => {
  const check = (name: string, result: "pass" | "not checked") => ({
    check: name,
    result,
    seen: "",
    fix: "",
  });
  expect(summaryOf([check("tls", "pass"), check("dns", "not checked"), check("keys", "pass")])).toBe(
    "2 passed; not checked: dns",
  );
  expect(summaryOf([check("tls", "pass")])).toBe("1 passed");
});

const certificate = {
  host: "home",
  source: "files" as const,
  certificateFile: "./fullchain.pem",
  privateKeyFile: "./privkey.pem",
};
const caddy = (address: string, port: number) => ({
  ...CADDY_DEFAULTS,
  kind: "caddy" as const,
  listen: { address, port },
});

it.each([
  ["nginx", { kind: "nginx" as const }, certificate, "https://127.0.0.1:443"],
  ["Caddy behind a tunnel", caddy("127.0.0.1", 8080), undefined, "http://127.0.0.1:8080"],
  ["Caddy behind a router", caddy("::", 8443), certificate, "https://127.0.0.1:8443"],
  ["Caddy on one address", caddy("fd00::1", 8443), certificate, "https://[fd00::1]:8443"],
])(
  "[H15] the host connects to the address at which its proxy listens: %s",
  (_what, change, certificates, url) => {
    const { config } = parsedFixture(fixture("minimal"));
    const { homeserver } = config;
    expect(proxyUrlOf({ proxy: { ...config.proxy, ...change }, certificates, homeserver })).toBe(url);
  },
);
