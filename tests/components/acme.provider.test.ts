import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { downHost, type Host, onHost, upHost } from "../../sandbox";
import { type Authority, upAuthority } from "../../sandbox/acme";
import { type Answer, ok, sh } from "../support/host-programs";
import { eventually } from "../support/jobs";
import { changed, fixture } from "../support/program";
import { failureOf, RealReleases } from "../support/real-release";

const NAME = `acme-${process.pid}`;
const CA = `ca-${process.pid}`;
const NAMES = [`matrix.${NAME}.test`, `${NAME}.test`];
/** Leads to another host. */
const WRONG = `wrong.${NAME}.test`;
const DATA = "/var/lib/hearth-data/certificates";
const CURRENT = `${DATA}/current`;
const UNIT = "hearth-certificates.service";
/** The lifetime of a certificate that must be renewed while the test runs. */
const SHORT_SECONDS = 15;

/** One host that gets its certificate from a real Pebble, in acts. The proxy answers unknown paths itself, so no homeserver is needed. */
describe("a certificate from an authority", () => {
  const folder = mkdtempSync(join(tmpdir(), "hearth-acme-"));
  let host: Host;
  let authority: Authority;
  let releases: RealReleases;
  let rsa: ReturnType<typeof stack>;
  let refused: { missing: Answer; wrong: Answer; requests: string };
  let first: { acme: Answer; requests: string; proxy: Answer };

  const stack = (publicHost = NAMES[0], keyType = "ecdsa-p256") =>
    changed(fixture("minimal"), {
      "homeserver.serverName": `${NAME}.test`,
      "homeserver.publicHost": publicHost,
      certificates: {
        ...{ host: "vps", source: "acme", acceptTerms: true, directory: authority.directory },
        ...{ caFile: authority.caFile, keyType },
      },
    });
  const run = (text: string) => sh(host, text);
  const fingerprint = (from: string) => run(`${from} | openssl x509 -noout -fingerprint -sha256`);
  const inUse = () => fingerprint(`cat ${CURRENT}/fullchain.pem`);
  const served = () =>
    fingerprint(`openssl s_client -connect ${NAMES[0]}:443 -servername ${NAMES[0]} </dev/null 2>/dev/null`);
  /** Starts the unit like its timer does; returns the last line of its log. */
  const tryAgain = async () => {
    const { code } = await onHost(host, [`systemctl start ${UNIT}`]);
    const said = await run(`journalctl --sync; journalctl -u ${UNIT} _COMM=python3 -o cat -n 1`);
    return { code, said };
  };
  const failsWith = async (reason: RegExp) => {
    const { code, said } = await tryAgain();
    expect([code, said]).toEqual([1, expect.stringMatching(reason)]);
    expect(await run(`systemctl is-failed ${UNIT}`)).toBe("failed");
  };

  /** How many changes the authority was asked for. */
  const requests = () =>
    sh(authority.host, "journalctl --sync; journalctl -u acme -o cat | grep -c -w POST || true");

  beforeAll(async () => {
    [host, authority] = await Promise.all([
      upHost({ name: NAME, dnsNames: NAMES }),
      upAuthority({ name: CA, folder, moreNames: [WRONG] }),
    ]);
    releases = new RealReleases(host);
    rsa = stack(NAMES[0], "rsa-2048");
    refused = {
      missing: await releases.observe(stack(`nowhere.${NAME}.test`), "acme"),
      wrong: await releases.apply(stack(WRONG), "acme"),
      requests: await requests(),
    };
    first = {
      acme: await releases.apply(stack(), "acme"),
      requests: await requests(),
      proxy: await releases.apply(stack(), "proxy"),
    };
  });
  afterAll(async () => {
    await Promise.all([downHost(NAME), downHost(CA)]);
    rmSync(folder, { recursive: true, force: true });
  });

  test("[W2] a name without an address is refused in the preview, and one that leads elsewhere before the authority is asked", () => {
    expect(refused.missing.of("obstacle").map(([text]) => text)).toEqual([
      `nowhere.${NAME}.test has no address in DNS, so no authority gives a certificate for it`,
    ]);
    expect(failureOf(refused.wrong)).toEqual({
      step: "tasks",
      text: expect.stringContaining(
        `${WRONG} leads to ${authority.host.address}, which does not answer on port 80 (Connection refused); fix: point the A and AAAA records of the name to this host`,
      ),
      undone: "ok",
    });
    expect([refused.requests, first.requests]).toEqual(["0", expect.stringMatching(/^[1-9]/)]);
  });

  test("[V10] a host with nothing gets its first certificate before the proxy starts", async () => {
    ok(first.acme);
    ok(first.proxy);
    expect(await served()).toBe(await inUse());
    const text = await run(`openssl x509 -in ${CURRENT}/fullchain.pem -noout -issuer -ext subjectAltName`);
    expect(text).toContain("Pebble Intermediate");
    for (const name of NAMES) expect(text).toContain(`DNS:${name}`);
  });

  test("[A9] only root can read the key, and nothing that Hearth reports contains it", async () => {
    expect(await run(`stat -L -c '%a %U' ${CURRENT}/privkey.pem ${CURRENT}/`)).toBe("600 root\n700 root");
    expect(JSON.stringify([first.acme.rows, first.proxy.rows])).not.toContain("PRIVATE KEY");
    expect(first.acme.of("published")).toEqual([
      ["certificate", expect.stringMatching(/^[0-9a-f]{64} \S+Z \S+Z ok$/)],
    ]);
  });

  test("[V10] another kind of key is another certificate, through nginx, which reads it without a restart", async () => {
    const before = [await served(), await run("systemctl show -P MainPID nginx")];
    await authority.lifetime(SHORT_SECONDS);
    ok(await releases.apply(rsa, "acme"));
    expect(await served()).toBe(await inUse());
    expect(await run(`openssl x509 -in ${CURRENT}/fullchain.pem -noout -text`)).toContain("rsaEncryption");
    expect([await served(), await run("systemctl show -P MainPID nginx")]).toEqual([
      expect.not.stringMatching(before[0] ?? ""),
      before[1],
    ]);
  });

  test("[V10] every try that fails says why, leaves the old certificate in use and the unit failed", async () => {
    const old = await served();
    const due = `python3 -c 'import sys; sys.path.insert(0, "/usr/local/lib/hearth/certificates"); import pair, time
held = pair.read("${CURRENT}"); sys.exit(not pair.is_due(held.start, held.end, time.time()))'`;
    expect(await eventually(async () => (await onHost(host, [due])).code === 0)).toBe(true);
    await authority.limited(true);
    await failsWith(
      /^the authority refuses more requests for now \(rate limit\): .*too many certificates \(50\)/,
    );
    await authority.limited(false);
    // For the authority the name leads to itself.
    const elsewhere = `cp /etc/hosts /run/hosts; sed 's/^[0-9.]*\\(.* ${NAMES[0]}\\)/127.0.0.1\\1/' /run/hosts >/etc/hosts`;
    await sh(authority.host, elsewhere);
    await failsWith(/^the authority could not check the names: .*: connection refused \(connection\)/);
    await sh(authority.host, "cat /run/hosts >/etc/hosts");
    await authority.running(false);
    await failsWith(/^the authority does not answer: https:\/\/ca\./);
    await authority.running(true);
    await failsWith(
      /^the authority does not know this host's account any more: .*; fix: remove .*\/accounts/,
    );
    expect(await served()).toBe(old);
    const publish = await run(`python3 -B /usr/local/lib/hearth/certificates/certificate.py publish ${DATA}`);
    expect(publish).toMatch(/ failed \S+Z the authority does not know/);
  });

  test("[V10] the next try renews, also while the proxy is down", async () => {
    await authority.lifetime(90 * 86_400);
    await run(`rm -r ${DATA}/client/accounts; systemctl stop nginx`);
    const { code, said } = await tryAgain();
    expect([code, said]).toEqual([
      0,
      expect.stringMatching(/^new certificate for .*a third of its lifetime is left\)$/),
    ]);
    await run("systemctl start nginx");
    expect(await served()).toBe(await inUse());
    expect((await tryAgain()).said).toMatch(/^nothing to do: valid until /);
    const seen = await releases.observe(rsa, "acme");
    expect(seen.of("task")).toEqual([
      ["certificate", `${NAMES.join(", ")}: rsa-2048 from ${authority.directory}`],
    ]);
    expect(seen.of("published")).toEqual([["certificate", expect.stringMatching(/ ok$/)]]);
    expect(seen.of("unit")).toEqual([["hearth-certificates.timer", "enabled", "active", "waiting"]]);
  });
});
