import { downHost, type Host } from "../../sandbox";
import { factsOf } from "../support/host-facts";
import { ok, sh } from "../support/host-programs";
import { eventually } from "../support/jobs";
import { nativeHost } from "../support/layers";
import { changed, fixture } from "../support/program";
import { changesOf, failureOf, RealReleases } from "../support/real-release";
import { AT_SYNAPSE, NATIVE_SOCKET } from "../support/synapse-socket";

// The real programs on a real host: Postgres and nginx of Debian 13, and Synapse from the Python index.
const NAME = `native-${process.pid}`;
const minimal = fixture("minimal");
let host: Host;
let releases: RealReleases;

const psql = (sql: string, database = "synapse") =>
  sh(host, `cd / && echo "${sql}" | runuser -u postgres -- psql -XAtq -d ${database}`);
const synapsePid = () => sh(host, "systemctl show -p MainPID --value matrix-synapse");
const ipv6 = (off: 0 | 1) =>
  sh(host, `for place in all default lo; do echo ${off} >/proc/sys/net/ipv6/conf/$place/disable_ipv6; done`);
const healthy = () => sh(host, `curl -sS ${AT_SYNAPSE}/health`);

beforeAll(async () => {
  host = await nativeHost(NAME);
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

  it("[V2] runs with the computed settings, and none of them needs a restart", async () => {
    expect(
      await psql("SHOW shared_buffers; SHOW max_connections; SHOW work_mem; SHOW listen_addresses"),
    ).toBe("976MB\n30\n16MB");
    expect(await psql("SELECT count(*) FROM pg_settings WHERE pending_restart")).toBe("0");
    expect(await sh(host, "ss -Hltn 'sport = 5432'")).toBe("");
  });

  it("[A2] reloads a setting without a restart if it can", async () => {
    const before = await psql("SELECT pg_postmaster_start_time()");
    const answer = ok(
      await releases.apply(changed(minimal, { "postgres.settings": { random_page_cost: 1.5 } }), "postgres"),
    );
    expect(changesOf(answer)).toContain("reloaded postgresql@17-main.service");
    expect(await psql("SHOW random_page_cost")).toBe("1.5");
    expect(await psql("SELECT pg_postmaster_start_time()")).toBe(before);
    ok(await releases.apply(minimal, "postgres"));
  });

  it("[R7] keeps tokens out of its log when a statement fails", async () => {
    await psql("CREATE TABLE tokens (token text UNIQUE); INSERT INTO tokens VALUES ('syt_planted')");
    await psql("INSERT INTO tokens VALUES ('syt_planted')");
    await psql("DROP TABLE tokens");
    const log = await sh(host, "cat /var/log/postgresql/*.log");
    expect(log).toContain("duplicate key value");
    expect(log).not.toContain("syt_planted");
  });

  it("[R1] does not write as root to a path that the user postgres controls, and reports it", async () => {
    const apt = () => sh(host, "ls -la --time-style=full-iso /etc/apt/apt.conf.d");
    const before = await apt();
    const folder = "/etc/postgresql/17/main";
    await sh(
      host,
      `runuser -u postgres -- sh -c 'cd ${folder} && mv conf.d kept && ln -s /etc/apt/apt.conf.d conf.d'`,
    );
    const stack = changed(minimal, { "postgres.settings": { max_locks_per_transaction: 80 } });
    const failure = failureOf(await releases.apply(stack, "postgres"));
    expect(failure.text).toMatch(
      /settings could not be included in \/etc\/postgresql\/17\/main: .*Permission denied/,
    );
    expect(await apt()).toBe(before);
    await sh(host, `runuser -u postgres -- sh -c 'cd ${folder} && rm conf.d && mv kept conf.d'`);
    ok(await releases.apply(minimal, "postgres"));
    expect(await psql("SHOW shared_buffers")).toBe("976MB");
  });

  it("removes the file of an earlier Hearth in a folder of postgres, and keeps the settings", async () => {
    const folder = "/etc/postgresql/17/main/conf.d";
    const old = `${folder}/50-hearth-restart.conf`;
    const root = { mode: "0644", owner: "root", group: "root" };
    // As that release recorded it: root's file in a folder of postgres.
    await sh(
      host,
      `echo "# of an earlier Hearth" >${old} && cd /var/lib/hearth/releases/postgres && printf 'file\\t${old}\\t0644\\troot\\troot\\t%s\\n' "$(sha256sum <${old} | cut -c 1-64)" >>manifest`,
    );
    const answer = ok(await releases.apply(minimal, "postgres"));
    expect(changesOf(answer)).toEqual([`removed ${old}`]);
    expect(await psql("SHOW shared_buffers")).toBe("976MB");
    // Nobody can make root create a file there any more.
    const refused = await releases.apply(minimal, "postgres", (wanted) => ({
      ...wanted,
      files: { ...wanted.files, [old]: { content: "x\n", ...root } },
    }));
    expect(refused.of("refuse")[0]).toEqual([
      "unsafe",
      `${old} is to be root's, but it lies in a directory that postgres can change: give it to postgres, or put it into a directory of root's`,
    ]);
  });

  it("[W6] finds its own cluster again on any port, and refuses a plan for another port", async () => {
    const cluster = { name: "main", port: 5432, socket: "/run/postgresql" };
    expect(await factsOf(host)).toMatchObject({ postgres: 17, postgresCluster: cluster });
    await sh(host, "pg_conftool 17 main set port 5433 && systemctl restart postgresql@17-main");
    expect(await factsOf(host)).toMatchObject({ postgres: 17, postgresCluster: { ...cluster, port: 5433 } });
    const task = "python3 -B /usr/local/lib/hearth/postgres/cluster.py apply 17 main 5432";
    await expect(sh(host, `${task} /etc/hearth/postgres /run/postgresql`)).rejects.toThrow(
      "cluster 17/main is on port 5433, and this change was planned for port 5432",
    );
    await sh(host, "pg_conftool 17 main set port 5432 && systemctl restart postgresql@17-main");
    ok(await releases.apply(minimal, "postgres"));
  });

  it("has the same list of settings that need a restart as Postgres itself", async () => {
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

  it("[A4] refuses unknown and invalid settings of Postgres before any file is replaced", async () => {
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
    "[V2] [H3] does not change a database with another %s, and prints the fix",
    async (what, locale, words) => {
      const name = `other-${what.replace(" ", "-")}`;
      await psql(
        `CREATE DATABASE \\"${name}\\" OWNER \\"matrix-synapse\\" ENCODING 'UTF8' ${locale} TEMPLATE template0`,
      );
      await psql("CREATE TABLE kept AS SELECT 42 AS answer", name);
      const stack = changed(minimal, { "postgres.database": name });
      const failure = failureOf(await releases.apply(stack, "postgres"));
      // Before anything changes.
      expect(failure).toMatchObject({ step: "task", undone: "" });
      expect(failure.text).toContain(words);
      expect(failure.text).toContain("pg_dump");
      expect(await psql("SELECT answer FROM kept", name)).toBe("42");
      // Synapse's own release refuses the database too, if it is applied.
      const synapse = failureOf(await releases.apply(stack, "homeserver"));
      expect(synapse.step).toBe("validate");
      expect(synapse.text).toContain("20-database");
      expect(synapse.text).toContain(words);
    },
  );
});

describe("Synapse", () => {
  it("[R2] [R3] creates its media directory itself, and root does not follow a link instead of it", async () => {
    const media = "/var/lib/matrix-synapse/media";
    expect(await sh(host, `stat -c '%a %U %G' ${media}`)).toBe("750 matrix-synapse matrix-synapse");
    // root's directory, in which nobody else writes: its modification time shows every change.
    const elsewhere = "/srv/elsewhere";
    const touched = `stat -c '%a %U %G %Z' ${elsewhere}`;
    const before = await sh(host, `mkdir ${elsewhere}; ${touched}`);
    await sh(
      host,
      `runuser -u matrix-synapse -- sh -c 'mv ${media} ${media}.kept && ln -s ${elsewhere} ${media}'`,
    );
    ok(await releases.apply(minimal, "homeserver"));
    expect(await sh(host, touched)).toBe(before);
    await sh(host, `runuser -u matrix-synapse -- sh -c 'rm ${media} && mv ${media}.kept ${media}'`);
  });

  it("[A1] a second apply of the same stack changes nothing", async () => {
    for (const name of ["postgres", "homeserver", "proxy"]) {
      expect([name, changesOf(ok(await releases.apply(minimal, name)))]).toEqual([name, []]);
    }
  });

  it("is confined, and others cannot read its secrets", async () => {
    const exposure = await sh(host, "systemd-analyze security --no-pager matrix-synapse | tail -n 1");
    expect(Number(/level for [^:]+: ([\d.]+)/.exec(exposure)?.[1])).toBeLessThan(2);
    expect(await sh(host, "stat -c '%a %U %G' /etc/hearth/homeserver/secrets/* | sort -u")).toBe(
      "640 root matrix-synapse",
    );
    expect(
      await sh(host, "runuser -u nobody -- cat /etc/hearth/homeserver/secrets/form_secret 2>&1 || true"),
    ).toContain("Permission denied");
  });

  it("[V8] [A2] reloads for a new log level", async () => {
    const before = await synapsePid();
    const answer = ok(
      await releases.apply(changed(minimal, { "homeserver.logging": { level: "INFO" } }), "homeserver"),
    );
    expect(changesOf(answer)).toContain("reloaded matrix-synapse.service");
    expect(await synapsePid()).toBe(before);
    const ask = `curl -sS -o /dev/null ${AT_SYNAPSE}/_matrix/client/versions`;
    const log = "/var/log/matrix-synapse/homeserver.log";
    const count = `grep -c 'INFO.*/_matrix/client/versions' ${log} || true`;
    // Synapse handles the signal, and writes its log, some time later.
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
  ])("[A4] %s is refused, and Synapse continues to run", async (_what, extra, validator, words) => {
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
    "[A4] [W11] a port that another program uses on %s is reported with this program before anything changes",
    async (address) => {
      const before = await synapsePid();
      const server = `python3 -m http.server --bind ${address} 8123`;
      await sh(
        host,
        `systemd-run --quiet --unit=taker ${server}; until ss -Hltn | grep -q :8123; do sleep 0.1; done`,
      );
      try {
        const stack = changed(minimal, { "homeserver.listener": { port: 8123 } });
        const refused = await releases.apply(stack, "homeserver");
        expect(refused.end).toBe("end refused");
        expect(refused.of("obstacle").map(([text]) => text)).toEqual([
          expect.stringMatching(/^port 127\.0\.0\.1:8123 is held by python3 \(pid \d+, taker\.service\)$/),
        ]);
        expect(await synapsePid()).toBe(before);
      } finally {
        await sh(host, "systemctl stop taker");
      }
    },
  );

  it("[A4] an address that this host does not have is reported before Synapse stops", async () => {
    const before = await synapsePid();
    await ipv6(1);
    try {
      const stack = changed(minimal, { "homeserver.listener": { port: 8123, bindAddresses: ["::1"] } });
      const failure = failureOf(await releases.apply(stack, "homeserver"));
      expect(failure).toMatchObject({ step: "validate", text: expect.stringContaining("15-ports") });
      expect(failure.text).toContain(
        "nothing can listen on ::1: IPv6 is switched off on this host. Remove it from hearth:homeserver.listener.bindAddresses",
      );
      expect(await synapsePid()).toBe(before);
    } finally {
      await ipv6(0);
    }
  });

  it("[R4] [A8] only the proxy and root can reach Synapse, over its socket; no port is open", async () => {
    expect(await sh(host, "ss -Hltnp | grep -c python || true")).toBe("0");
    const tried = (user: string) =>
      sh(host, `runuser -u ${user} -- curl -sS ${AT_SYNAPSE}/health 2>&1 || true`);
    expect([await tried("root"), await tried("www-data")]).toEqual(["OK", "OK"]);
    for (const user of ["nobody", "postgres"]) expect(await tried(user)).not.toBe("OK");
    // Another program cannot replace the socket while Synapse is stopped.
    await sh(host, "systemctl stop matrix-synapse");
    const place =
      "rm /run/hearth-synapse/synapse.sock; mv /run/hearth-synapse /run/away; touch /run/hearth-synapse/x";
    for (const user of ["nobody", "postgres", "www-data"])
      await sh(host, `! runuser -u ${user} -- sh -c '${place}' 2>/dev/null`);
    expect(await tried("root")).not.toBe("OK");
    await sh(host, "test -S /run/hearth-synapse/synapse.sock; systemctl start matrix-synapse");
    expect(await tried("root")).toBe("OK");
  });

  it("[A4] [B7] a stopped database is reported before any file is replaced, and by the health check", async () => {
    const answers = `sh /usr/local/lib/hearth/homeserver/answers.sh ${NATIVE_SOCKET} example.org 2>&1 && echo ok || true`;
    expect(await sh(host, answers)).toBe("ok");
    await sh(host, "systemctl stop postgresql@17-main");
    try {
      expect(await healthy()).toBe("OK");
      expect(await sh(host, answers)).toContain("it runs, but cannot read its database");
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
    // Each connection that Synapse kept open fails once, which is no reason to restart Synapse.
    expect(await sh(host, answers)).toBe("ok");
    expect(await sh(host, "grep -c 'role \"root\" does not exist' /var/log/postgresql/*.log || true")).toBe(
      "0",
    );
  });

  it("[V5] [V7] [V8] runs with every setting that the stack file can contain", async () => {
    ok(await releases.apply(fixture("full"), "homeserver"));
    expect(await sh(host, "curl -sS http://127.0.0.1:8018/health")).toBe("OK");
    ok(await releases.apply(minimal, "homeserver"));
  });

  it("[V2] [A9] logs in to Postgres with a password that is only in files", async () => {
    const stack = changed(minimal, {
      "postgres.authentication": "password",
      "postgres.role": "chat",
      "postgres.database": "chat",
    });
    // Otherwise another database is refused, because it would hide the accounts and messages of the first one.
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
    // Somebody changes it by hand: the change is detected, and fixed with the file's password.
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
