import { copyFile } from "node:fs/promises";
import path from "node:path";
import { downHost } from "../../sandbox";
import { type Authority, upAuthority } from "../../sandbox/acme";
import { expectNoFailures, whatClientsSee } from "../support/clients";
import { VpsServer } from "../support/vps-server";

const CA = "acme-ca";
const DATA = "/var/lib/hearth-data/certificates";
const UNIT = "hearth-certificates.service";
/** What the host believes it has asked for is another thing, so the next try asks for a new certificate. */
const WANT_ANOTHER = `sed -i 's/ecdsa-p256/none/' ${DATA}/current/about.json`;

/** The acts of one server with a certificate of a real Pebble: first issue, renewal, failure, change of the source. */
describe("a VPS server that gets its certificate itself", () => {
  let server: VpsServer;
  let authority: Authority;

  beforeAll(async () => {
    server = await VpsServer.make("e2e-acme");
    authority = await upAuthority({ name: CA, folder: path.join(server.directory, "authority") });
    await trustRoot();
    await server.edit({
      certificates: acme(),
      "verification.enabled": true,
      "verification.partner": undefined,
      "verification.caFile": authority.rootFile,
    });
    const { seconds } = await server.up();
    console.log(`first up with ACME: ${seconds.toFixed(1)} s`);
  });

  afterAll(async () => {
    await server?.remove();
    await downHost(CA);
  });

  const acme = () => ({
    ...{ host: "vps", source: "acme", acceptTerms: true, directory: authority.directory },
    caFile: authority.caFile,
  });

  /** The programs on the host trust the certificates of the authority, like all programs trust those of a public one. */
  async function trustRoot(): Promise<void> {
    await copyFile(
      authority.rootFile,
      path.join(server.host.root, "usr/local/share/ca-certificates/pebble.crt"),
    );
    await server.sh("update-ca-certificates --fresh >/dev/null 2>&1");
  }

  test("[V10] [A1] one up makes a trusted server from a host with nothing, and all checks from outside pass", async () => {
    expect(await server.status()).toBe(200);
    const { status, results } = await server.verify();
    expect([status, results["certificate renewal"]]).toEqual([0, "pass"]);
    const state = await server.stack.cli(["stack", "export", "--stack", server.host.name]);
    expect(state).toContain("hearth-certificates.timer");
    expect(state).not.toContain("PRIVATE KEY");
  });

  test("[A1] a second up changes nothing", async () => {
    const { counts } = await server.up([]);
    expect(Object.keys(counts)).toEqual(["same"]);
  });

  test("[V10] [B15] a renewal on the host fails no request", async () => {
    const before = await server.lives();
    const seen = await whatClientsSee(server, await server.logIn(), () =>
      server.sh(`${WANT_ANOTHER}; systemctl start ${UNIT}`),
    );
    expectNoFailures("renewal", seen);
    expect(await server.lives()).toEqual(before);
    expect(await server.sh(`readlink ${DATA}/current`)).toBe("versions/2\n");
    const plan = await server.preview(["--diff", "--expect-no-changes"]);
    expect(plan.output).not.toContain("could not be renewed");
  });

  test("[V10] a renewal that fails leaves the server as it is; the next preview and verify say why, and an up repairs it", async () => {
    await authority.running(false);
    await expect(server.sh(`${WANT_ANOTHER}; systemctl start ${UNIT}`)).rejects.toThrow();
    expect(await server.status()).toBe(200);
    const { output } = await server.preview();
    expect(output).toMatch(/the certificate could not be renewed at \S+Z: the authority does not answer/);
    expect(output).toMatch(/now: the old certificate is in use, and expires in 89 days/);
    const { status, results } = await server.verify();
    expect([status, Object.keys(results).filter((check) => results[check] === "fail")]).toEqual([
      1,
      ["certificate renewal"],
    ]);
    await authority.running(true);
    await trustRoot();
    await server.sh(`rm -r ${DATA}/client/accounts`);
    await server.up();
    expect((await server.verify()).status).toBe(0);
  });

  test("[V10] [B15] a change from ACME to files and back fails no request", async () => {
    await server.edit({ certificates: { host: "vps", ...server.tls }, "verification.enabled": false });
    const token = await server.logIn();
    const away = await whatClientsSee(server, token, () => server.up());
    expectNoFailures("ACME to files", away);
    expect((await server.unit("hearth-certificates.timer")).active).toBe("inactive");
    // The certificate from before would do.
    await server.sh(`rm -r ${DATA}`);
    await server.edit({ certificates: acme() });
    const back = await whatClientsSee(server, token, () => server.up());
    expectNoFailures("files to ACME", back);
    // A given secret stays on the host; the certificate next to it is gone.
    expect(await server.sh(`readlink ${DATA}/current; ls /etc/hearth/tls`)).toBe("versions/1\nprivkey.pem\n");
  });
});
