import { VpsServer } from "../support/vps-server";

/** How long a client may wait while a bad change is undone, seconds: the issue's own figure. */
const OUTAGE_LIMIT = 10;

const YAML = "/etc/hearth/homeserver/homeserver.yaml";

/**
 * Asks for the versions endpoint four times a second until stopped; tells the longest stretch without a 200, seconds. The host
 * asks itself under the public name: a log-in for each look would be most of what is measured, and load.
 */
function watchAnswers(server: VpsServer): { stop: () => Promise<number> } {
  const ask = "curl --silent --output /dev/null --max-time 5 --write-out '%{http_code}'";
  const said = server.sh(`now() { cut -d ' ' -f 1 /proc/uptime; }
    touch /run/watched; echo "$(now) 200"
    while test -e /run/watched; do
      status=$(${ask} https://${server.publicHost}/_matrix/client/versions); echo "$(now) $status"; sleep 0.25
    done; echo "$(now) 200"`);
  // Heard of below, unless something else has failed before.
  said.catch(() => undefined);
  const stop = async () => {
    await server.sh("rm /run/watched");
    const lines = (await said).trim().split("\n");
    const good = lines.flatMap((line) => (/ 200$/.test(line) ? [Number.parseFloat(line)] : []));
    expect(good.length).toBeGreaterThan(2);
    return Math.max(...good.slice(1).map((time, index) => time - (good[index] ?? 0)));
  };
  return { stop };
}

describe("a change that would break the server", () => {
  let server: VpsServer;
  let good: string;

  beforeAll(async () => {
    server = await VpsServer.make("e2e-refusal");
    await server.up();
    good = await server.sh(`cat ${YAML}`);
  });

  afterAll(async () => {
    await server?.remove();
  });

  /** Whatever a test left, the next one finds the server as it was made. */
  afterEach(async () => {
    await server.sh("systemctl stop squatter 2>/dev/null || true");
    await server.reset();
    await server.up(["--skip-preview"]);
  });

  /** Runs an `up` that must fail; returns its output and how long nobody was answered. */
  async function failedUp(): Promise<{ output: string; outage: number }> {
    const watch = watchAnswers(server);
    const result = await server.stack.up({ args: ["--skip-preview"] });
    const outage = await watch.stop();
    expect({ ok: result.ok, output: result.output }).toMatchObject({ ok: false });
    expect(result.output).not.toMatch(/^\s+at .*\.(ts|js):\d+/m);
    return { output: result.output, outage };
  }

  /** The old configuration is there, Synapse runs with it, and once the edit is taken back nothing is left to do. */
  async function expectUntouched(): Promise<void> {
    expect(await server.sh(`cat ${YAML}`)).toBe(good);
    expect(await server.status()).toBe(200);
    await server.reset();
    const quiet = await server.stack.preview({ args: ["--expect-no-changes", "--diff"] });
    expect({ ok: quiet.ok, output: quiet.ok ? "" : quiet.output }).toEqual({ ok: true, output: "" });
  }

  test("[A4] a setting that Synapse does not know is refused by its path before the swap", async () => {
    const before = await server.lives();
    await server.edit({ "homeserver.extra": { redaction_retention_perod: "7d" } });
    const { output } = await failedUp();
    expect(output).toContain("redaction_retention_perod");
    expect(output).toMatch(/validate/);
    expect(await server.lives()).toEqual(before);
    await expectUntouched();
  });

  test("[A4] a bad regular expression in extra is refused by its path before the swap", async () => {
    const before = await server.lives();
    await server.edit({ "homeserver.extra": { allowed_local_3pids: [{ medium: "email", pattern: "([" }] } });
    const { output } = await failedUp();
    expect(output).toMatch(/validate/);
    expect(output).toMatch(/allowed_local_3pids\[0\]\.pattern/);
    expect(await server.lives()).toEqual(before);
    await expectUntouched();
  });

  test("[A4] a value that only a start of Synapse refuses is refused before the swap", async () => {
    const before = await server.lives();
    await server.edit({ "homeserver.extra": { default_room_version: "nonsense" } });
    const { output } = await failedUp();
    expect(output).toMatch(/validate/);
    expect(output).toContain("nonsense");
    expect(await server.lives()).toEqual(before);
    await expectUntouched();
  });

  test("[A4] a port that another program holds is refused before the swap", async () => {
    const before = await server.lives();
    await server.sh("systemd-run --unit=squatter --collect python3 -m http.server --bind 127.0.0.1 8010");
    await server.edit({ "homeserver.listener": { port: 8010, bindAddresses: ["127.0.0.1"] } });
    const { output } = await failedUp();
    expect(output).toMatch(/validate/);
    expect(output).toMatch(/port 8010 on 127\.0\.0\.1 is held by python3/);
    expect((await server.lives()).synapse).toEqual(before.synapse);
    await server.reset();
    await server.up(["--skip-preview"]);
    expect(await server.sh(`cat ${YAML}`)).toBe(good);
  });

  test("[A4] a Synapse that dies when it really starts is put back, and answers again", async () => {
    const before = await server.lives();
    // The drop-in is not ours: no validator can know that it makes the next start fail.
    await server.sh(
      "mkdir -p /etc/systemd/system/matrix-synapse.service.d; printf '[Service]\\nExecStartPre=/usr/bin/sh -c \"! grep -q 180d /etc/hearth/homeserver/homeserver.yaml\"\\n' >/etc/systemd/system/matrix-synapse.service.d/test.conf; systemctl daemon-reload",
    );
    await server.edit({ "homeserver.media.localLifetime": "180d" });
    const { output, outage } = await failedUp();
    console.log(`roll back: nobody was answered for ${outage.toFixed(1)} s`);
    expect(output).toMatch(/rolled back: step \d+\/\d+ units/);
    expect(output).toMatch(/matrix-synapse\.service/);
    expect(outage).toBeLessThan(OUTAGE_LIMIT);
    const after = await server.lives();
    expect(after.synapse.pid).not.toBe(before.synapse.pid);
    expect([after.postgres, after.nginx]).toEqual([before.postgres, before.nginx]);
    await expectUntouched();
    await server.sh("rm -r /etc/systemd/system/matrix-synapse.service.d/test.conf; systemctl daemon-reload");
  });

  test("[A4] [V2] a database with another collation is refused and not touched", async () => {
    const before = await server.lives();
    await server.sh(
      "runuser -u postgres -- createdb --template=template0 --encoding=UTF8 --locale=C.UTF-8 --owner=matrix-synapse foreign",
    );
    await server.edit({ "postgres.database": "foreign" });
    const { output } = await failedUp();
    expect(output).toMatch(/collation is C\.UTF-8 instead of C/);
    expect(output).toMatch(/step \d+\/\d+ tasks/);
    expect(await server.lives()).toEqual(before);
    const count = "select count(*) from pg_database where datname='foreign'";
    expect(await server.sh(`runuser -u postgres -- psql -Atc "${count}"`)).toBe("1\n");
    await expectUntouched();
  });

  test("[A4] with the database stopped, up starts it before it touches Synapse", async () => {
    await server.sh("systemctl stop postgresql@17-main.service");
    await server.edit({ "homeserver.media.localLifetime": "200d" });
    const result = await server.up(["--skip-preview"]);
    expect(result.output).toMatch(/started postgresql@17-main\.service/);
    await server.secondsUntilAnswering();
    expect(await server.sh(`cat ${YAML}`)).toContain("200d");
  });

  test("[A4] [V2] a homeserver whose database does not answer is refused before the swap", async () => {
    const before = await server.lives();
    await server.edit({ "homeserver.media.localLifetime": "210d" });
    await server.sh("systemctl stop postgresql@17-main.service");
    // Only the homeserver is updated, as `--target` does: the database stays stopped.
    const result = await server.stack.up({ args: ["--skip-preview", "--target", "**::vps-homeserver"] });
    expect({ ok: result.ok, output: result.output }).toMatchObject({ ok: false });
    expect(result.output).toMatch(/validate/);
    expect(result.output).toMatch(/cannot be reached/);
    await server.sh("systemctl start postgresql@17-main.service");
    expect((await server.lives()).synapse).toEqual(before.synapse);
    expect(await server.sh(`cat ${YAML}`)).toBe(good);
  });
});
