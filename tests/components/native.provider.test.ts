import { downHost, type Host, upHost } from "../../sandbox";
import { ok, sh } from "../support/host-programs";
import { eventually } from "../support/jobs";
import { changed, fixture } from "../support/program";
import { changesOf, failureOf, RealReleases } from "../support/real-release";

// The real consumers on a real host: Postgres, Synapse and nginx of Debian 13 and of the Python index.
const NAME = `native-${process.pid}`;
const minimal = fixture("minimal");
let host: Host;
let releases: RealReleases;

const psql = (sql: string, database = "synapse") =>
  sh(host, `cd / && echo "${sql}" | runuser -u postgres -- psql -XAtq -d ${database}`);
const synapsePid = () => sh(host, "systemctl show -p MainPID --value matrix-synapse");
const healthy = () => sh(host, "curl -sS http://127.0.0.1:8008/health");

beforeAll(async () => {
  host = await upHost({ name: NAME });
  releases = new RealReleases(host);
  for (const name of ["certificates", "postgres", "homeserver", "proxy"])
    ok(await releases.apply(minimal, name));
});
afterAll(() => downHost(NAME));

describe("Postgres", () => {
  it("[V2] [H3] has a database that Synapse may use, owned by its role", async () => {
    expect(
      await psql(
        "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider FROM pg_database WHERE datname='synapse'",
      ),
    ).toBe("matrix-synapse|UTF8|C|C|c");
  });

  it("[V2] runs with the computed settings, none of them waiting for a restart", async () => {
    expect(
      await psql("SHOW shared_buffers; SHOW max_connections; SHOW work_mem; SHOW listen_addresses"),
    ).toBe("976MB\n30\n16MB");
    expect(await psql("SELECT count(*) FROM pg_settings WHERE pending_restart")).toBe("0");
    expect(await sh(host, "ss -Hltn 'sport = 5432'")).toBe("");
  });

  it("[A2] takes a reloadable setting in without a restart", async () => {
    const before = await psql("SELECT pg_postmaster_start_time()");
    const answer = ok(
      await releases.apply(
        changed(minimal, { "postgres.settings": { log_min_duration_statement: "500ms" } }),
        "postgres",
      ),
    );
    expect(changesOf(answer)).toContain("reloaded postgresql@17-main.service");
    expect(await psql("SHOW log_min_duration_statement")).toBe("500ms");
    expect(await psql("SELECT pg_postmaster_start_time()")).toBe(before);
    ok(await releases.apply(minimal, "postgres"));
  });

  it("knows which settings need a restart as well as Postgres itself does", async () => {
    const { RESTART_SETTINGS } = await import("../../components/postgres/restart-settings");
    const rows = await psql(
      "SELECT name, context FROM pg_settings WHERE context IN ('postmaster', 'sighup', 'user', 'superuser')",
    );
    const places = new Set([
      "config_file",
      "data_directory",
      "external_pid_file",
      "hba_file",
      "ident_file",
      "port",
    ]);
    const settings = rows.split("\n").map((row) => row.split("|"));
    const missing = settings.filter(
      ([name = "", context]) => context === "postmaster" && !places.has(name) && !RESTART_SETTINGS.has(name),
    );
    expect(missing).toEqual([]);
    expect(
      settings.filter(([name = "", context]) => context !== "postmaster" && RESTART_SETTINGS.has(name)),
    ).toEqual([]);
  });

  it("[A4] refuses settings that Postgres does not know or take, before anything is swapped", async () => {
    const answer = await releases.apply(
      changed(minimal, { "postgres.settings": { work_memory: "9MB" } }),
      "postgres",
    );
    expect(failureOf(answer)).toMatchObject({
      step: "validate",
      text: expect.stringContaining("work_memory"),
    });
    expect(await psql("SHOW work_mem")).toBe("16MB");
  });

  it.each([
    ["collation", "LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'", "collation is C.UTF-8 instead of C"],
    [
      "locale provider",
      "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LC_COLLATE 'C' LC_CTYPE 'C'",
      "provider is icu instead of libc",
    ],
  ])(
    "[V2] [H3] leaves a database with another %s and its data alone, and says the way out",
    async (what, locale, words) => {
      const name = `other-${what.replace(" ", "-")}`;
      await psql(
        `CREATE DATABASE \\"${name}\\" OWNER \\"matrix-synapse\\" ENCODING 'UTF8' ${locale} TEMPLATE template0`,
      );
      await psql("CREATE TABLE kept AS SELECT 42 AS answer", name);
      const stack = changed(minimal, { "postgres.database": name });
      const failure = failureOf(await releases.apply(stack, "postgres"));
      expect(failure).toMatchObject({ step: "tasks", undone: "ok" });
      expect(failure.text).toContain(words);
      expect(failure.text).toContain("pg_dump");
      expect(await psql("SELECT answer FROM kept", name)).toBe("42");
      // Synapse's own release comes to the same end if it ever gets there.
      const synapse = failureOf(await releases.apply(stack, "homeserver"));
      expect(synapse.step).toBe("validate");
      expect(synapse.text).toContain("20-database");
      expect(synapse.text).toContain(words);
    },
  );
});

describe("Synapse", () => {
  it("[A1] a second apply of the same stack changes nothing", async () => {
    for (const name of ["postgres", "homeserver", "proxy"]) {
      expect([name, changesOf(ok(await releases.apply(minimal, name)))]).toEqual([name, []]);
    }
  });

  it("is confined, and has its secrets to itself", async () => {
    const exposure = await sh(host, "systemd-analyze security --no-pager matrix-synapse | tail -n 1");
    expect(Number(/level for [^:]+: ([\d.]+)/.exec(exposure)?.[1])).toBeLessThan(2);
    expect(await sh(host, "stat -c '%a %U %G' /etc/hearth/homeserver/secrets/* | sort -u")).toBe(
      "640 root matrix-synapse",
    );
    expect(
      await sh(host, "runuser -u nobody -- cat /etc/hearth/homeserver/secrets/form_secret 2>&1 || true"),
    ).toContain("Permission denied");
  });

  it("[V8] [A2] takes a new log level in by a reload", async () => {
    const before = await synapsePid();
    const answer = ok(
      await releases.apply(changed(minimal, { "homeserver.logging": { level: "INFO" } }), "homeserver"),
    );
    expect(changesOf(answer)).toContain("reloaded matrix-synapse.service");
    expect(await synapsePid()).toBe(before);
    const ask = "curl -sS -o /dev/null http://127.0.0.1:8008/_matrix/client/versions";
    const log = "/var/log/matrix-synapse/homeserver.log";
    const count = `grep -c 'INFO.*/_matrix/client/versions' ${log} || true`;
    // Synapse takes the signal, and writes its log, when it comes to it.
    expect(await eventually(async () => (await sh(host, `${ask}; ${count}`)) !== "0")).toBe(true);
    ok(await releases.apply(minimal, "homeserver"));
  });

  it.each([
    [
      "a misspelt setting",
      { user_ips_max_agee: "14d" },
      "10-config",
      "user_ips_max_agee: Synapse 1.163.2 never reads this setting. Did you mean user_ips_max_age?",
    ],
    [
      "a setting in the wrong place",
      { push: { max_upload_size: "5M" } },
      "10-config",
      "push.max_upload_size: Synapse 1.163.2 never reads this setting. It is a setting of the top level.",
    ],
    [
      "a bad regular expression",
      { allowed_local_3pids: [{ medium: "email", pattern: "[unclosed" }] },
      "10-config",
      "allowed_local_3pids[0].pattern: '[unclosed' is not a regular expression",
    ],
    ["a wrong type", { user_ips_max_age: ["14d"] }, "10-config", "user_ips_max_age"],
    [
      "what only fails at the start",
      { app_service_config_files: ["/etc/none.yaml"] },
      "30-dry-start",
      "/etc/none.yaml",
    ],
  ])("[A4] %s is refused and Synapse runs on", async (_what, extra, validator, words) => {
    const before = await synapsePid();
    const failure = failureOf(
      await releases.apply(changed(minimal, { "homeserver.extra": extra }), "homeserver"),
    );
    expect(failure.step).toBe("validate");
    expect(failure.text).toContain(validator);
    expect(failure.text).toContain(words);
    expect(await synapsePid()).toBe(before);
    expect(await healthy()).toBe("OK");
  });

  it.each(["127.0.0.1", "0.0.0.0"])(
    "[A4] a port that another program has on %s is named before Synapse stops",
    async (address) => {
      const before = await synapsePid();
      const server = `python3 -m http.server --bind ${address} 8123`;
      await sh(
        host,
        `systemd-run --quiet --unit=taker ${server}; until ss -Hltn | grep -q :8123; do sleep 0.1; done`,
      );
      try {
        const stack = changed(minimal, { "homeserver.listener": { port: 8123 } });
        const failure = failureOf(await releases.apply(stack, "homeserver"));
        expect(failure).toMatchObject({ step: "validate", text: expect.stringContaining("15-ports") });
        expect(failure.text).toMatch(/port 8123 on 127.0.0.1 is held by python3 \(pid \d+\): stop it/);
        expect(await synapsePid()).toBe(before);
      } finally {
        await sh(host, "systemctl stop taker");
      }
    },
  );

  it("[A4] a database that is stopped is named before anything is swapped", async () => {
    await sh(host, "systemctl stop postgresql@17-main");
    try {
      const failure = failureOf(
        await releases.apply(changed(minimal, { "homeserver.presence": false }), "homeserver"),
      );
      expect(failure).toMatchObject({ step: "validate", text: expect.stringContaining("20-database") });
      expect(failure.text).toContain(
        "database synapse at /run/postgresql as role matrix-synapse cannot be reached",
      );
    } finally {
      await sh(host, "systemctl start postgresql@17-main");
    }
  });

  it("[V5] [V7] [V8] runs with every setting that the stack file can say", async () => {
    ok(await releases.apply(fixture("full"), "homeserver"));
    expect(await sh(host, "curl -sS http://127.0.0.1:8018/health")).toBe("OK");
    ok(await releases.apply(minimal, "homeserver"));
  });

  it("[V2] [A9] logs in to Postgres with a password that only files hold", async () => {
    const stack = changed(minimal, {
      "postgres.authentication": "password",
      "postgres.role": "chat",
      "postgres.database": "chat",
    });
    // Else another database is refused: it would hide the first one's accounts and messages.
    expect(failureOf(await releases.apply(stack, "postgres")).text).toContain("an empty one would hide");
    await sh(host, "sed -i /^serverName/d /var/lib/hearth/identity");
    ok(await releases.apply(stack, "postgres"));
    ok(await releases.apply(stack, "homeserver"));
    expect(await healthy()).toBe("OK");
    expect(await psql("SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'chat'")).toBe("t");
    const password = await sh(host, "cat /etc/hearth/postgres/password");
    expect(password).toMatch(/^[0-9a-f]{64}$/);
    const visible =
      "journalctl --no-pager; cat /var/log/postgresql/*.log /proc/[0-9]*/cmdline | tr '\\0' ' '; cat /etc/hearth/homeserver/*.yaml";
    expect(await sh(host, visible)).not.toContain(password);
    // Somebody changes it behind our back: seen, and put right from the file.
    await psql("ALTER ROLE chat PASSWORD 'other'");
    const repaired = ok(await releases.apply(stack, "postgres"));
    expect(changesOf(repaired).join()).toContain("role chat with the password");
    expect(
      await sh(
        host,
        "cd / && PGPASSFILE=/etc/hearth/homeserver/secrets/database.pgpass runuser -u matrix-synapse -w PGPASSFILE -- psql -XAt -h 127.0.0.1 -U chat -d chat -c 'SELECT 1'",
      ),
    ).toBe("1");
  });
});
