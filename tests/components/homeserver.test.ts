import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { placeOf } from "../../components/homeserver/place";
import { renderEmail, renderHomeserver, renderLogging } from "../../components/homeserver/render";
import { synapseSecrets } from "../../components/homeserver/secrets";
import { type HomeserverConfig, homeserverSchema } from "../../config-schemas/homeserver/schema";
import { synapseKeyAdvice } from "../../config-schemas/homeserver/synapse-keys";
import { parsedFixture } from "../fixtures/stacks";
import { changed, DEBIAN_12, fixture, releasesOf, runProgram } from "../support/program";
import { nativeLayout } from "../support/rendered";

const database = {
  database: "synapse",
  role: "matrix-synapse",
  host: "/run/postgresql",
  pool: { min: 5, max: 10 },
  unit: "postgresql@17-main.service",
  console: ["psql"],
};
const base = { host: "vps", serverName: "example.org", publicHost: "matrix.example.org", version: "1.163.2" };
const rendered = (config: HomeserverConfig) =>
  parse(renderHomeserver(config, { database, place: placeOf(config, nativeLayout(config)) }));
const settings = (keys: object = {}) => rendered(homeserverSchema.parse({ ...base, ...keys }));
const full = () => rendered(parsedFixture(fixture("full")).config.homeserver);

describe("Synapse's settings", () => {
  it("[V6] refuse registration unless the stack opens it", () => {
    expect(settings()).toMatchObject({ enable_registration: false });
    expect(settings()).not.toHaveProperty("registration_requires_token");
    expect(settings()).not.toHaveProperty("registrations_require_3pid");
  });

  it("[V6] [G3] open registration only together with its requirements", () => {
    const open = settings({ registration: { mode: "open", require: ["token", "email"] } });
    expect(open).toMatchObject({
      enable_registration: true,
      registration_requires_token: true,
      registrations_require_3pid: ["email"],
    });
  });

  it("[V5] close federation with a top-level list that contains the server itself", () => {
    expect(settings({ federation: { allowlist: ["matrix.org"] } })).toMatchObject({
      federation_domain_whitelist: ["example.org", "matrix.org"],
    });
    expect(settings({ federation: { allowlist: [] } })).toMatchObject({ federation_domain_whitelist: [] });
    expect(settings()).not.toHaveProperty("federation_domain_whitelist");
    expect(full()).not.toHaveProperty("federation");
  });

  it("[V5] block the private ranges in addition to the operator's", () => {
    const { ip_range_blacklist } = full();
    expect(ip_range_blacklist).toEqual(expect.arrayContaining(["10.0.0.0/8", "fe80::/10", "203.0.114.0/24"]));
  });

  it("[V7] limit the size and lifetime of media", () => {
    expect(full()).toMatchObject({
      max_upload_size: "100M",
      max_image_pixels: "16M",
      media_retention: { remote_media_lifetime: "90d", local_media_lifetime: "365d" },
    });
    expect(settings()).not.toHaveProperty("media_retention");
  });

  it("purge messages in one job without gaps, only if the stack says so", () => {
    expect(full().retention).toEqual({
      enabled: true,
      default_policy: { max_lifetime: "365d" },
      allowed_lifetime_min: "1d",
      allowed_lifetime_max: "2y",
      purge_jobs: [{ interval: "12h" }],
    });
    expect(settings()).not.toHaveProperty("retention");
  });

  it("[V8] [G11] contain rate limits in Synapse's format, and none that are not set", () => {
    expect(full()).toMatchObject({
      rc_login: {
        address: { per_second: 0.17, burst_count: 3 },
        failed_attempts: { per_second: 0.17, burst_count: 3 },
      },
      rc_federation: {
        window_size: 2000,
        sleep_limit: 20,
        sleep_delay: 250,
        reject_limit: 100,
        concurrent: 5,
      },
      rc_presence: { per_user: { per_second: 0.1, burst_count: 1 } },
    });
    expect(Object.keys(settings()).filter((key) => key.startsWith("rc_"))).toEqual([]);
    const one = settings({ rateLimits: { login: { account: { perSecond: 1, burst: 2 } } } });
    expect(one.rc_login).toEqual({ account: { per_second: 1, burst_count: 2 } });
  });

  it("[V8] [G13] never enable link previews without the blocked address ranges", () => {
    expect(settings()).toMatchObject({ url_preview_enabled: false });
    const on = settings({ urlPreviews: { enabled: true } });
    expect(on.url_preview_ip_range_blacklist).toEqual(expect.arrayContaining(["127.0.0.0/8", "::1/128"]));
  });

  it("[V8] turn presence off in the key that Synapse reads", () => {
    expect(settings({ presence: false }).presence).toEqual({ enabled: false });
  });

  it("contain no empty block, because Synapse fails or uses defaults then", () => {
    for (const content of [settings(), full()]) {
      for (const [key, value] of Object.entries(content)) {
        expect([key, value]).not.toEqual([key, null]);
        expect([key, JSON.stringify(value)]).not.toEqual([key, "{}"]);
      }
    }
  });

  it("are all refused in `extra`, so that it cannot override any", () => {
    const { extra } = parsedFixture(fixture("full")).config.homeserver;
    const own = [...Object.keys(full()), ...Object.keys(settings())].filter((key) => !(key in extra));
    expect(own.filter((key) => synapseKeyAdvice(key) === undefined)).toEqual([]);
  });

  it("end with the operator's extra", () => {
    expect(full()).toMatchObject({ user_ips_max_age: "14d", forget_rooms_on_leave: true });
  });
});

describe("mail", () => {
  const email = { smtpHost: "mail.example.org", from: "chat@example.org" };
  const parsed = (keys: object) => homeserverSchema.parse({ ...base, email: { ...email, ...keys } });

  const mailOf = ({ email: settings }: ReturnType<typeof parsed>) => {
    if (settings === undefined) throw new Error("no mail settings");
    return settings;
  };

  it("requires TLS in both modes", () => {
    expect(rendered(parsed({})).email).toMatchObject({
      smtp_port: 587,
      require_transport_security: true,
    });
    const tls = rendered(parsed({ security: "tls", smtpPort: 465 })).email;
    expect(tls).toMatchObject({ smtp_port: 465, force_tls: true });
  });

  it("[A9] with a login is complete in its secret file and absent from the public file", () => {
    const config = parsed({ user: "matrix" });
    expect(rendered(config)).not.toHaveProperty("email");
    const text = renderEmail(mailOf(config), 'pa: "ss#1');
    expect(parse(text).email).toMatchObject({
      smtp_host: "mail.example.org",
      smtp_user: "matrix",
      smtp_pass: 'pa: "ss#1',
      notif_from: "chat@example.org",
      require_transport_security: true,
    });
  });
});

it("[V8] logs are rotated daily and kept as long as the stack says", () => {
  const log = parse(renderLogging({ level: "INFO", keep: "7d" }, "/var/log/x.log"));
  expect(log.handlers.file).toMatchObject({ when: "midnight", backupCount: 7, filename: "/var/log/x.log" });
  expect(log.root).toMatchObject({ level: "INFO" });
});

test("[A9] the log never contains SQL statements, whose values include access tokens", () => {
  const log = parse(renderLogging({ level: "DEBUG", keep: "7d" }, "/var/log/x.log"));
  expect(log.root).toMatchObject({ level: "DEBUG" });
  expect(log.loggers).toEqual({ "synapse.storage.SQL": { level: "INFO" } });
});

describe("the release", () => {
  const homeserver = async (...run: Parameters<typeof runProgram>) =>
    releasesOf(await runProgram(...run)).homeserver;

  it("[V1] of another version has another environment and another start command, and the same data", async () => {
    const older = changed(fixture("minimal"), { "homeserver.version": "1.162.0" });
    const [a, b] = [await homeserver(fixture("minimal")), await homeserver(older)];
    expect(Object.keys(a?.environments ?? {})).toEqual(["/opt/hearth/synapse/1.163.2"]);
    expect(b?.environments).toEqual({
      "/opt/hearth/synapse/1.162.0": {
        python: "/usr/bin/python3.13",
        requirements: expect.arrayContaining([
          expect.stringMatching(/^matrix-synapse==1\.162\.0 --hash=sha256:[0-9a-f]{64}$/),
        ]),
        systemSitePackages: true,
      },
    });
    expect(b?.units["matrix-synapse.service"]?.restartOn).toContain(
      "environment:/opt/hearth/synapse/1.162.0",
    );
    expect(Object.keys(a?.secrets ?? {})).toEqual(Object.keys(b?.secrets ?? {}));
    expect(a?.directories).toEqual(b?.directories);
  });

  it("[W11] lists the ports that it opens, so that other programs that use them are reported first", async () => {
    const listener = { port: 8018, bindAddresses: ["127.0.0.1", "::1"] };
    const [none, two] = [
      fixture("minimal"),
      changed(fixture("minimal"), { "homeserver.listener": listener }),
    ];
    expect((await homeserver(none))?.ports).toEqual({});
    const unit = "matrix-synapse.service";
    expect((await homeserver(two))?.ports).toEqual({ "127.0.0.1:8018": unit, "[::1]:8018": unit });
  });

  it("[V1] [V4] installs the vendor's package in its exact version, and its file sorts after the package's files", async () => {
    const release = await homeserver(fixture("password-database"), DEBIAN_12);
    expect(release?.packages["matrix-synapse-py3"]).toBe("1.163.2+bookworm1");
    expect(release?.repositories["matrix-org"]).toMatchObject({
      suites: "bookworm",
      fingerprint: "AAF9AE843A7584B5A3E4CD2BCF45A512DE2DA058",
    });
    const [file = ""] = Object.keys(release?.files ?? {}).filter((path) => path.includes("/conf.d/"));
    expect(["report_stats.yaml", "server_name.yaml", file.split("/").at(-1)].sort().at(-1)).toBe(
      "zz-hearth.yaml",
    );
    expect(Object.keys(release?.environments ?? {})).toEqual([]);
  });

  it("[V1] refuses the vendor's package on an architecture without one", async () => {
    const run = await runProgram(fixture("password-database"), { ...DEBIAN_12, architecture: "arm64" });
    expect(run.errors).toEqual([
      "hearth:homeserver.install is apt, but the host is arm64 and the vendor packages Synapse for amd64 only\n  fix: write `install: pypi`",
    ]);
  });

  it("[A2] restarts Synapse for its settings and only reloads it for the log", async () => {
    const unit = (await homeserver(fixture("minimal")))?.units["matrix-synapse.service"];
    expect(unit?.reloadOn).toEqual(["/etc/hearth/homeserver/log.yaml"]);
    expect(unit?.restartOn).toContain("/etc/hearth/homeserver/homeserver.yaml");
    expect(unit?.restartOn.filter((path) => path.startsWith("/usr/local"))).toEqual([
      "/usr/local/lib/hearth/homeserver/listen.py",
    ]);
  });

  it("lets Synapse itself check the configuration, the fastest check first, and without network", async () => {
    const validators = (await homeserver(fixture("minimal")))?.validators ?? {};
    expect(Object.keys(validators).sort()).toEqual([
      "10-config",
      "15-ports",
      "20-database",
      "30-dry-start",
      "40-unit",
    ]);
    expect(validators["30-dry-start"]).toMatchObject({ isolateNetwork: true, user: "matrix-synapse" });
    expect(validators["10-config"]?.argv[0]).toBe("/opt/hearth/synapse/1.163.2/bin/python");
  });

  it("[G6] generates the signing key once, and only its folder's group may read it", async () => {
    const key = (await homeserver(fixture("minimal")))?.secrets["/etc/hearth/homeserver/secrets/signing.key"];
    expect(key).toMatchObject({
      mode: "0640",
      owner: "root",
      group: "matrix-synapse",
      source: { kind: "command" },
    });
  });
});

describe("the command that generates a signing key", () => {
  let state: string;
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "hearth-key-"));
  });
  afterEach(() => rmSync(state, { recursive: true }));

  const made = () => {
    const config = homeserverSchema.parse(base);
    const at = { ...nativeLayout(config), records: state, once: () => ["echo", "key $1"] };
    const source = synapseSecrets(database, {})["signing-key"]?.source(at) as {
      argv: string[];
    };
    const [program = "", ...args] = source.argv.map((word) =>
      word.replace(
        "/usr/local/lib/hearth/homeserver",
        join(__dirname, "../../components/homeserver/programs"),
      ),
    );
    return spawnSync(program, args, { encoding: "utf8" });
  };

  it("[G6] generates one for a new server", () => {
    expect(made()).toMatchObject({ status: 0, stdout: "key $1\n", stderr: "" });
  });

  it("[A5] generates no other key for a server that others know, and prints the fix", () => {
    writeFileSync(join(state, "identity"), "serverName\texample.org\n");
    const { status, stdout, stderr } = made();
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(
      /is gone, .* from a backup: write it to \/etc\/hearth\/homeserver\/secrets\/signing\.key\. If it is lost .* from \/.*\/identity: a new/,
    );
  });
});

it.each([
  ["minimal", "/etc/systemd/system/matrix-synapse.service"],
  ["password-database", "/etc/systemd/system/matrix-synapse.service.d/50-hearth.conf"],
])(
  "[V2] of %s: Synapse restarts together with the database, not in a second interruption",
  async (stack, file) => {
    const { postgres, homeserver } = releasesOf(await runProgram(fixture(stack)));
    const [database] = Object.keys(postgres?.units ?? {});
    expect(postgres?.units[database ?? ""]?.along).toEqual(["matrix-synapse.service"]);
    // systemd's order: Synapse stops before the database, and starts after it.
    expect(homeserver?.files[file]?.content).toMatch(new RegExp(`^After=.*\\b${database}$`, "m"));
  },
);

describe("where Synapse listens", () => {
  const socket = { path: "/run/hearth-synapse/synapse.sock", type: "http", x_forwarded: true };

  it("[R4] is only a unix socket: on a port, another program could listen instead and receive credentials", () => {
    expect(settings().listeners).toEqual([expect.objectContaining(socket)]);
    const more = settings({ listener: { port: 8018 } }).listeners;
    expect(more).toEqual([
      expect.objectContaining(socket),
      expect.objectContaining({ port: 8018, bind_addresses: ["127.0.0.1"], tls: false }),
    ]);
  });

  it.each(["minimal", "password-database"])(
    "[R4] of %s is in a folder of Synapse that only the proxy's group may enter, and stays during a restart",
    async (stack) => {
      const { files = {}, units = {} } = releasesOf(await runProgram(fixture(stack))).homeserver ?? {};
      const [unit = ""] = Object.values(files).flatMap(({ content }) =>
        content.includes("listen.py /run") ? [content] : [],
      );
      expect(unit).toContain(
        "\nExecStartPre=+/usr/bin/install -d -m 0750 -o matrix-synapse -g www-data /run/hearth-synapse\n",
      );
      expect(unit).toMatch(
        /\nExecStart=\/\S+\/python \S+\/listen.py \/run\/hearth-synapse\/synapse.sock synapse.app.homeserver --config-path=/,
      );
      expect(unit).toContain("\nFileDescriptorStoreMax=1\n");
      expect(Object.keys(units)).toEqual(["matrix-synapse.service"]);
    },
  );

  it("[B7] is checked with a request that reads the database, because /health answers 200 without one", async () => {
    const { health } = releasesOf(await runProgram(fixture("minimal"))).homeserver ?? {};
    expect(health).toMatchObject({
      answers: {
        kind: "command",
        argv: [
          ...["/bin/sh", "/usr/local/lib/hearth/homeserver/answers.sh"],
          ...["/run/hearth-synapse/synapse.sock", "example.org"],
        ],
      },
    });
  });
});
