import { type HomeHost, homeHost } from "../support/home-host";
import { call, ok } from "../support/host-programs";
import { eventually } from "../support/jobs";
import { changesOf, failureOf } from "../support/real-release";
import { AT_HOME_SYNAPSE } from "../support/synapse-socket";
import { CONTAINERS, ContainerReleases, containerReleases, LOGIN_FACTS } from "./quadlet-releases";

// The real Podman, Quadlet, Postgres and Synapse, as the login user of a real host, in stand-ins for the images.
const NAME = `contained-${process.pid}`;
const SERVICES = ["hearth-postgres", "hearth-synapse"];
const SECRETS = [
  ...["hearth-database-passfile", "hearth-database-password", "hearth-database-superuser"],
  ...["hearth-database-superuser-passfile", "hearth-form", "hearth-macaroon", "hearth-registration"],
];
const DATA = `${LOGIN_FACTS.home}/.local/share/hearth`;
let home: HomeHost;
let releases: ContainerReleases;

const sh = (text: string) => home.sh(text);
const psql = (sql: string, database = "synapse") =>
  home.sh(`podman exec -i hearth-postgres psql -XAtq --username=postgres -d ${database}`, sql);
const pidOf = (name: string) => sh(`podman inspect --format '{{.State.Pid}}' ${name}`);
const healthy = () => sh(`curl -sS ${AT_HOME_SYNAPSE}/health`);
const secret = (name: string) => sh(`podman secret inspect --showsecret --format '{{.SecretData}}' ${name}`);

beforeAll(async () => {
  home = await homeHost(NAME);
  releases = new ContainerReleases(home.host);
  for (const name of ["rootless", "postgres", "homeserver"]) ok(await releases.apply(name));
});
afterAll(() => home.down());

describe("[H13] confinement works, as the kernel and Podman report", () => {
  it.each(SERVICES)("%s: runs as the login user, has no privileges and cannot gain any", async (name) => {
    const status = await sh(`cat /proc/$(podman inspect --format '{{.State.Pid}}' ${name})/status`);
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
      expect(status).toMatch(new RegExp(`^${set}:\\s+0{16}$`, "m"));
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Seccomp:\s+2$/m);
    expect(status).toMatch(/^Uid:\s+1000\s+1000\s+1000\s+1000$/m);
  });

  it.each(SERVICES)("%s: cannot write its image or configuration", async (name) => {
    const service = name === "hearth-postgres" ? "postgres" : "homeserver";
    for (const path of ["/x", "/usr/x", "/etc/x", "/var/x", `/etc/hearth/${service}/x`]) {
      const tried = await sh(`podman exec ${name} sh -c 'touch ${path}' 2>&1 || echo refused`);
      expect(tried).toMatch(/Read-only file system[\s\S]*refused$/);
    }
    expect(await sh(`podman exec ${name} sh -c 'ls /dev | tr "\\n" " "'`)).toBe(
      "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero",
    );
  });

  it("Synapse can neither remove the database's socket nor log in without its password", async () => {
    const socket = "/var/run/postgresql/.s.PGSQL.5432";
    expect(await sh(`podman exec hearth-synapse rm -f ${socket} 2>&1 || true`)).toContain("Read-only");
    for (const role of ["postgres", "matrix-synapse"]) {
      const connect = `import psycopg2; psycopg2.connect(host="/var/run/postgresql", user="${role}", dbname="synapse")`;
      const tried = await home.sh("podman exec -i hearth-synapse python - 2>&1 || true", connect);
      expect(tried).toContain("no password supplied");
    }
  });

  // systemd's settings: a sandbox host has no cgroup controllers, so this cannot test that the kernel enforces them.
  it.each([
    ["hearth-postgres", 512, 256],
    ["hearth-synapse", 1024, 512],
  ])(
    "%s: limits of memory and processes are set on the unit whose control group it lives in",
    async (name, memory, tasks) => {
      const limits = `systemctl --user show --value -p MemoryMax -p MemorySwapMax -p TasksMax ${name}.service`;
      const bytes = String(memory * 1024 ** 2);
      expect((await sh(limits)).split("\n").sort()).toEqual([bytes, bytes, String(tasks)].sort());
      const group = await sh(`cat /proc/${await pidOf(name)}/cgroup`);
      expect(group).toMatch(new RegExp(`^0::.*/${name}\\.service/libpod-payload-`, "m"));
    },
  );

  it("[H1] no service listens on a port, and no other user can reach the database, a secret or Synapse's socket", async () => {
    const listening = await sh("ss -Hltn | awk '{ print $4 }' | sort");
    expect(listening.split("\n")).toEqual(["0.0.0.0:22", "[::]:22"]);
    const paths = [
      `${LOGIN_FACTS.home}/.local/share/containers/storage/volumes/hearth-database-socket`,
      `${LOGIN_FACTS.home}/.local/share/containers/storage/secrets/filedriver/secretsdata.json`,
      `${DATA}/postgres/data`,
      `${DATA}/homeserver/media`,
      `${DATA}/homeserver/socket`,
    ];
    for (const path of paths) {
      const tried = await home.root(`runuser -u nobody -- ls ${path}/ 2>&1 || true`);
      expect(tried).toContain("Permission denied");
    }
  });

  it("the login user can read the services' files", async () => {
    expect(await sh(`cat ${DATA}/postgres/data/PG_VERSION`)).toBe("17");
    expect(await sh(`stat -c %U ${DATA}/homeserver/log/homeserver.log`)).toBe("debian");
  });
});

describe("[H2] secrets", () => {
  it("have at least 40 random characters and are all different", async () => {
    const values = await Promise.all(SECRETS.filter((name) => !name.endsWith("passfile")).map(secret));
    for (const value of values) expect(value).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(values).size).toBe(values.length);
    expect(await secret("hearth-signing-key")).toMatch(/^ed25519 a_\w+ [\w+/]{43}\n*$/);
  });

  it("[A9] are in no file, log, argument or environment", async () => {
    const key = (await secret("hearth-signing-key")).trim().split(" ").at(-1) ?? "";
    const texts = [key, ...(await Promise.all(SECRETS.map(secret)))].map(
      (text) => text.split(":").at(-1) ?? "",
    );
    const visible = [
      "journalctl --user --no-pager",
      "podman inspect hearth-postgres hearth-synapse",
      "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' ' '",
      "grep -rs '' ~/.config ~/.local/lib ~/.local/state ~/.local/share/hearth/homeserver",
    ].join("; ");
    const [own, all] = [await sh(`{ ${visible}; } || true`), await home.root("journalctl --no-pager")];
    expect(own).toContain("hearth-synapse");
    for (const text of texts) {
      expect(text.length).toBeGreaterThanOrEqual(40);
      expect(own).not.toContain(text);
      expect(all).not.toContain(text);
    }
  });
});

describe("[H3] the database", () => {
  it("has collation C from its first start, checksums, and the container's share of memory", async () => {
    const facts =
      "pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider";
    expect(await psql(`SELECT ${facts} FROM pg_database WHERE datname = 'synapse'`)).toBe(
      "matrix-synapse|UTF8|C|C|c",
    );
    expect(await psql("SELECT DISTINCT datcollate FROM pg_database")).toBe("C");
    expect(await psql("SHOW shared_buffers; SHOW data_checksums; SHOW listen_addresses")).toBe("128MB\non");
    expect(await psql("SELECT count(*) FROM pg_settings WHERE pending_restart")).toBe("0");
  });

  it("with another collation does not change and is refused before Synapse starts, with the fix", async () => {
    await psql(
      `CREATE DATABASE other OWNER "matrix-synapse" ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8' TEMPLATE template0`,
    );
    await psql("CREATE TABLE kept AS SELECT 42 AS answer", "other");
    const failure = failureOf(await releases.apply("postgres", { postgres: { database: "other" } }));
    // Before anything changes.
    expect(failure).toMatchObject({ step: "task", undone: "" });
    expect(failure.text).toContain("collation is C.UTF-8 instead of C");
    expect(failure.text).toContain("pg_dump");
    const synapse = failureOf(await releases.apply("homeserver", { postgres: { database: "other" } }));
    expect(synapse).toMatchObject({ step: "validate", text: expect.stringContaining("20-database") });
    expect(synapse.text).toContain("collation is C.UTF-8 instead of C");
    expect(await psql("SELECT answer FROM kept", "other")).toBe("42");
    expect(await healthy()).toBe("OK");
  });

  it("of another major version is not changed by an image that cannot read it", async () => {
    const edit = `sed -i 's/17/16/' ${DATA}/postgres/data/PG_VERSION`;
    await sh(edit);
    try {
      const failure = failureOf(await releases.apply("postgres", { postgres: { pool: { max: 12 } } }));
      expect(failure).toMatchObject({ step: "validate", text: expect.stringContaining("20-data") });
      expect(failure.text).toContain("is Postgres 16's, and Postgres 17 cannot read it; nothing was touched");
      expect(failure.text).toContain("pg_dumpall");
    } finally {
      await sh(edit.replace("17/16", "16/17"));
    }
    expect(await psql("SELECT 1")).toBe("1");
  });

  it("[A2] reloads a setting without a restart if it can", async () => {
    const before = await psql("SELECT pg_postmaster_start_time()");
    const answer = ok(
      await releases.apply("postgres", { postgres: { settings: { log_min_duration_statement: "500ms" } } }),
    );
    expect(changesOf(answer)).toContain("reloaded hearth-postgres.service");
    expect(await psql("SHOW log_min_duration_statement")).toBe("500ms");
    expect(await psql("SELECT pg_postmaster_start_time()")).toBe(before);
    ok(await releases.apply("postgres"));
  });

  it("[A4] refuses a setting that its image's Postgres does not know", async () => {
    const failure = failureOf(
      await releases.apply("postgres", { postgres: { settings: { work_memory: "9MB" } } }),
    );
    expect(failure).toMatchObject({ step: "validate", text: expect.stringContaining("work_memory") });
  });

  it("gets the role's password again after somebody changed it", async () => {
    await psql(`ALTER ROLE "matrix-synapse" PASSWORD 'other'`);
    expect(changesOf(ok(await releases.apply("postgres"))).join()).toContain(
      "role matrix-synapse with the password",
    );
  });
});

describe("Synapse", () => {
  it("[A1] a second apply changes nothing", async () => {
    for (const name of ["rootless", "postgres", "homeserver"])
      expect([name, changesOf(ok(await releases.apply(name)))]).toEqual([name, []]);
  });

  it("[A2] reloads a new log level without a restart", async () => {
    const before = await pidOf("hearth-synapse");
    const answer = ok(await releases.apply("homeserver", { homeserver: { logging: { level: "INFO" } } }));
    expect(changesOf(answer)).toContain("reloaded hearth-synapse.service");
    expect(await pidOf("hearth-synapse")).toBe(before);
    const ask = `curl -sS -o /dev/null ${AT_HOME_SYNAPSE}/_matrix/client/versions`;
    const count = `grep -c 'INFO.*/_matrix/client/versions' ${DATA}/homeserver/log/homeserver.log || true`;
    // Synapse handles the signal, and writes its log, some time later.
    expect(await eventually(async () => (await sh(`${ask}; ${count}`)) !== "0")).toBe(true);
    ok(await releases.apply("homeserver"));
  });

  it.each([
    ["a misspelt setting", { user_ips_max_agee: "14d" }, "10-config", "Did you mean user_ips_max_age?"],
    [
      "what only fails at the start",
      { app_service_config_files: ["/etc/none"] },
      "30-dry-start",
      "/etc/none",
    ],
  ])(
    "[A4] %s is refused by the image's Synapse, and the server continues to run",
    async (_what, extra, validator, words) => {
      const before = await pidOf("hearth-synapse");
      const failure = failureOf(await releases.apply("homeserver", { homeserver: { extra } }));
      expect(failure.step).toBe("validate");
      expect(failure.text).toContain(validator);
      expect(failure.text).toContain(words);
      expect(await pidOf("hearth-synapse")).toBe(before);
    },
  );

  it("[A7] changes to another version and back through its image, and keeps its key and its data", async () => {
    const key = await secret("hearth-signing-key");
    const version = () => sh(`curl -sS ${AT_HOME_SYNAPSE}/_matrix/federation/v1/version`);
    ok(await releases.apply("homeserver", { homeserver: { version: "1.162.0" } }));
    expect(await version()).toContain("1.162.0");
    ok(await releases.apply("homeserver"));
    expect(await version()).toContain("1.163.2");
    expect(await secret("hearth-signing-key")).toBe(key);
  });

  it("[A4] a version without an image is reported before any file is replaced", async () => {
    const before = await pidOf("hearth-synapse");
    const image = "registry.invalid/synapse:v1.163.2";
    const failure = failureOf(await releases.apply("homeserver", { homeserver: { image } }));
    expect(failure.text).toContain(image);
    expect(failure.step).not.toBe("units");
    expect(await pidOf("hearth-synapse")).toBe(before);
  });

  it("[A4] [W11] a port that another program uses is reported with this program before anything changes", async () => {
    const server = "python3 -m http.server --bind 127.0.0.1 8123";
    const taken = "until ss -Hltn | grep -q :8123; do sleep 0.1; done";
    await sh(`systemd-run --user --quiet --unit=taker ${server}; ${taken}`);
    try {
      const before = await pidOf("hearth-synapse");
      const refused = await releases.apply("homeserver", { homeserver: { listener: { port: 8123 } } });
      expect(refused.end).toBe("end refused");
      expect(refused.of("obstacle").map(([text]) => text)).toEqual([
        expect.stringMatching(/^port 127\.0\.0\.1:8123 is held by python3 \(pid \d+, taker\.service\)$/),
      ]);
      expect(await pidOf("hearth-synapse")).toBe(before);
    } finally {
      await sh("systemctl --user stop taker");
    }
  });
});

it("[H1] [H15] everything runs again after a power cut, with its data and without a login", async () => {
  await psql("CREATE TABLE kept AS SELECT 42 AS answer");
  await home.powerCut();
  const started = Date.now();
  // As root, because a login as the user would start the user's units.
  const answers = `until curl -sSf ${AT_HOME_SYNAPSE}/health; do sleep 0.5; done 2>/dev/null`;
  expect(await home.root(`timeout 180 sh -c '${answers}'`)).toBe("OK");
  console.log(`Synapse answered ${((Date.now() - started) / 1000).toFixed(1)} s after the boot`);
  expect(await psql("SELECT answer FROM kept")).toBe("42");
});

it("[A5] deleting the releases stops the services and keeps data, secrets and the socket's volume", async () => {
  const made = (await containerReleases()).releases;
  const key = await secret("hearth-signing-key");
  for (const name of ["homeserver", "postgres"]) {
    const release = made[name];
    ok(await call(home.host, "delete", release, { instance: releases.instanceOf(name), scope: "user" }));
  }
  expect(await sh("podman ps --quiet")).toBe("");
  expect(await sh(`find ${CONTAINERS} -type f 2>/dev/null || true`)).toBe("");
  expect(await sh(`cat ${DATA}/postgres/data/PG_VERSION`)).toBe("17");
  expect(await secret("hearth-signing-key")).toBe(key);
  const again = new ContainerReleases(home.host);
  for (const name of ["postgres", "homeserver"]) ok(await again.apply(name));
  expect(await psql("SELECT answer FROM kept")).toBe("42");
});
