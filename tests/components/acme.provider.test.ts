import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { downHost, type Host, upHost } from "../../sandbox";
import { type Authority, upAuthority } from "../../sandbox/acme";
import { type Answer, ok, sh } from "../support/host-programs";
import { changed, fixture } from "../support/program";
import { RealReleases } from "../support/real-release";

const NAME = `acme-${process.pid}`;
const CA = `ca-${process.pid}`;
const NAMES = [`matrix.${NAME}.test`, `${NAME}.test`];
const CURRENT = "/var/lib/hearth-data/certificates/current";

/** One host that gets its certificate from a real Pebble, in acts. The proxy answers unknown paths itself, so no homeserver is needed. */
describe("a certificate from an authority", () => {
  const folder = mkdtempSync(join(tmpdir(), "hearth-acme-"));
  let host: Host;
  let authority: Authority;
  let releases: RealReleases;
  let first: { acme: Answer; proxy: Answer };

  const stack = (change: Record<string, unknown> = {}) =>
    changed(fixture("minimal"), {
      "homeserver.serverName": `${NAME}.test`,
      "homeserver.publicHost": `matrix.${NAME}.test`,
      certificates: {
        ...{ host: "vps", source: "acme", acceptTerms: true, directory: authority.directory },
        caFile: authority.caFile,
      },
      ...change,
    });
  const run = (text: string) => sh(host, text);

  beforeAll(async () => {
    [host, authority] = await Promise.all([
      upHost({ name: NAME, dnsNames: NAMES }),
      upAuthority({ name: CA, folder }),
    ]);
    releases = new RealReleases(host);
    first = {
      acme: await releases.apply(stack(), "acme"),
      proxy: await releases.apply(stack(), "proxy"),
    };
  });
  afterAll(async () => {
    await Promise.all([downHost(NAME), downHost(CA)]);
    rmSync(folder, { recursive: true, force: true });
  });

  test("[V10] a host with nothing gets its first certificate before the proxy starts", async () => {
    ok(first.acme);
    ok(first.proxy);
    const served = NAMES.map(
      (name) => `openssl s_client -connect ${name}:443 -servername ${name} </dev/null`,
    );
    const seen = await run(`${served.join(" 2>&1; ")} 2>&1 | grep -a -e issuer= -e 'Verif'`);
    expect(seen.match(/issuer=CN ?= ?Pebble Intermediate/g)).toHaveLength(2);
    const text = await run(`openssl x509 -in ${CURRENT}/fullchain.pem -noout -ext subjectAltName -pubkey`);
    for (const name of NAMES) expect(text).toContain(`DNS:${name}`);
  });

  test("[A9] only root can read the key, and nothing that Hearth reports contains it", async () => {
    expect(await run(`stat -L -c '%a %U' ${CURRENT}/privkey.pem ${CURRENT}/`)).toBe("600 root\n700 root");
    expect(JSON.stringify([first.acme.rows, first.proxy.rows])).not.toContain("PRIVATE KEY");
    expect(first.acme.of("published")).toEqual([
      ["certificate", expect.stringMatching(/^[0-9a-f]{64} \S+Z \S+Z ok$/)],
    ]);
  });
});
