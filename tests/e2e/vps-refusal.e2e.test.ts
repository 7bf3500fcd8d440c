import { VpsServer } from "../support/vps-server";

/** How long a client may wait while a bad change is undone, seconds: the issue's own figure. */
const OUTAGE_LIMIT = 10;

const YAML = "/etc/hearth/homeserver/homeserver.yaml";

/** Asks for the versions endpoint four times a second until stopped; tells the longest stretch without a 200. */
function watchAnswers(server: VpsServer): { stop: () => Promise<number> } {
  let [running, lastGood, longest] = [true, performance.now(), 0];
  const loop = (async () => {
    while (running) {
      if ((await server.status()) === 200) {
        longest = Math.max(longest, performance.now() - lastGood);
        lastGood = performance.now();
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  })();
  const stop = async () => {
    running = false;
    await loop;
    return Math.max(longest, performance.now() - lastGood) / 1000;
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
  async function expectUntouched(undo: Record<string, unknown>): Promise<void> {
    expect(await server.sh(`cat ${YAML}`)).toBe(good);
    expect(await server.status()).toBe(200);
    await server.edit(undo);
    const quiet = await server.stack.preview({ args: ["--expect-no-changes", "--diff"] });
    expect({ ok: quiet.ok, output: quiet.ok ? "" : quiet.output }).toEqual({ ok: true, output: "" });
  }

  test("[A4] a setting that Synapse does not know is refused by its path before the swap", async () => {
    const before = await server.lives();
    await server.edit({ "homeserver.extra": { redaction_retention_perod: "7d" } });
    const { output, outage } = await failedUp();
    expect(output).toContain("redaction_retention_perod");
    expect(output).toMatch(/validate/);
    expect(await server.lives()).toEqual(before);
    expect(outage).toBeLessThan(3);
    await expectUntouched({ "homeserver.extra": undefined });
  });

  test("[A4] a bad regular expression in extra is refused before the swap", async () => {
    const before = await server.lives();
    await server.edit({
      "homeserver.extra": {
        spam_checker: undefined,
        oembed: { additional_providers: ["/nonexistent.json"] },
      },
    });
    const { output } = await failedUp();
    expect(output).toMatch(/validate[\s\S]*(nonexistent|oembed)/);
    expect(await server.lives()).toEqual(before);
    await expectUntouched({ "homeserver.extra": undefined });
    await server.edit({
      "homeserver.extra": {
        auto_accept_invites: { enabled: true },
        allowed_local_3pids: [{ medium: "email", pattern: "([" }],
      },
    });
    const regex = await failedUp();
    expect(regex.output).toMatch(/validate|health/);
    expect(regex.outage).toBeLessThan(OUTAGE_LIMIT);
    await expectUntouched({ "homeserver.extra": undefined });
  });

  test("[A4] a port that another program holds is undone, and the server answers again", async () => {
    await server.sh("systemd-run --unit=squatter --collect python3 -m http.server --bind 127.0.0.1 8010");
    await server.edit({ "homeserver.listener": { port: 8010, bindAddresses: ["127.0.0.1"] } });
    const { output, outage } = await failedUp();
    expect(output).toMatch(/8010/);
    expect(output).toMatch(/rolled back|undone|refused|nothing was changed/i);
    expect(outage).toBeLessThan(OUTAGE_LIMIT);
    await server.sh("systemctl stop squatter");
    await expectUntouched({ "homeserver.listener": undefined });
  });

  test("[A4] [V2] a database with another collation is refused before the swap, and not touched", async () => {
    await server.sh(
      "runuser -u postgres -- createdb --template=template0 --encoding=UTF8 --locale=C.UTF-8 --owner=matrix-synapse foreign",
    );
    await server.edit({ "postgres.database": "foreign" });
    const { output, outage } = await failedUp();
    expect(output).toMatch(/C\.UTF-8/);
    expect(output).toMatch(/foreign/);
    expect(outage).toBeLessThan(3);
    expect(
      await server.sh(
        "runuser -u postgres -- psql -Atc \"select count(*) from pg_database where datname='foreign'\"",
      ),
    ).toBe("1\n");
    await server.edit({ "postgres.database": undefined });
    await server.up(["--skip-preview"]);
    await expectUntouched({});
  });

  test("[A4] with the database stopped a change of Synapse repairs the database first", async () => {
    await server.sh("systemctl stop postgresql@17-main.service");
    await server.edit({ "homeserver.media.localLifetime": "200d" });
    const result = await server.up(["--skip-preview"]);
    expect(result.output).toMatch(/postgresql@17-main\.service/);
    expect(await server.secondsUntilAnswering()).toBeLessThan(30);
    good = await server.sh(`cat ${YAML}`);
  });

  test("[A4] an nginx that cannot load its certificate keeps the old one", async () => {
    const before = await server.lives();
    await server.edit({
      "proxy.federationPort": false,
      "homeserver.extra": { default_room_version: "nonsense" },
    });
    const { output } = await failedUp();
    expect(output).toMatch(/nonsense|room version/i);
    const after = await server.lives();
    expect(after.synapse).toEqual(before.synapse);
    await expectUntouchedAfterProxy();
  });

  async function expectUntouchedAfterProxy(): Promise<void> {
    await server.edit({ "homeserver.extra": undefined, "proxy.federationPort": true });
    await server.up(["--skip-preview"]);
    expect(await server.status()).toBe(200);
  }
});
