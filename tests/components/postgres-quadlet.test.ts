import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CONTAINERS, containerReleases, LOGIN_FACTS } from "./quadlet-releases";

const FILE = `${CONTAINERS}/hearth-postgres.container`;
const CONFIG = `${LOGIN_FACTS.home}/.config/hearth/postgres`;
const SECRETS = [
  "hearth-database-password",
  "hearth-database-superuser",
  "hearth-database-superuser-passfile",
];

async function postgres(keys: object = {}) {
  const { postgres: release } = (await containerReleases({ postgres: keys })).releases;
  if (release === undefined) throw new Error("no release");
  return { ...release, text: (path: string) => release.files[path]?.content ?? "" };
}

describe("the database in a container", () => {
  it("[H1] has no network, and belongs to the login user without any part of root", async () => {
    const release = await postgres();
    expect(release.text(FILE)).toContain("\nNetwork=none\n");
    expect(release.text(FILE)).not.toContain("PublishPort");
    expect(release.text(`${CONFIG}/restart.conf`)).toContain("listen_addresses = ''\n");
    expect(release).toMatchObject({ scope: "user", packages: {}, secrets: {} });
    const owned = [...Object.values(release.files), ...Object.values(release.directories)];
    expect(new Set(owned.map(({ owner, group }) => `${owner}:${group}`))).toEqual(new Set(["debian:debian"]));
    expect(release.directories[`${LOGIN_FACTS.home}/.local/share/hearth/postgres/data`]?.mode).toBe("0700");
  });

  it("[H3] is created with collation C at its first start, and requires a password from everybody", async () => {
    const release = await postgres();
    const [, initdb = ""] = /POSTGRES_INITDB_ARGS=([^"]*)/.exec(release.text(FILE)) ?? [];
    expect(initdb.split(" ")).toEqual(
      expect.arrayContaining([
        ...["--encoding=UTF8", "--locale-provider=libc", "--lc-collate=C", "--lc-ctype=C"],
        "--auth=scram-sha-256",
      ]),
    );
    const rules = release.text(`${CONFIG}/pg_hba.conf`).split("\n");
    expect(rules.filter((line) => line !== "" && !line.startsWith("#"))).toEqual([
      "local all all scram-sha-256",
    ]);
  });

  it("[H3] keeps its data in the login user's folder, not in the image's default folder", async () => {
    const release = await postgres({ image: "docker.io/library/postgres:18.1" });
    const folder = "/var/lib/postgresql/data";
    expect(release.text(FILE)).toContain(`\nEnvironment=PGDATA=${folder}\n`);
    expect(release.text(FILE)).toContain(
      `\nVolume=${LOGIN_FACTS.home}/.local/share/hearth/postgres/data:${folder}:rw\n`,
    );
  });

  it("[H2] has secrets of 64 hexadecimal digits, generated on the host and in no argument", async () => {
    const release = await postgres();
    const { containerSecrets } = release;
    expect(Object.keys(containerSecrets).sort()).toEqual(SECRETS);
    for (const name of SECRETS.slice(0, 2))
      expect(containerSecrets[name]).toEqual({ source: { kind: "random", bytes: 32 } });
    expect(release.text(FILE)).toContain("--pwfile=/run/secrets/hearth-database-superuser");
    // The image's entry point would keep it in the server's environment.
    expect(release.text(FILE)).not.toContain("POSTGRES_PASSWORD");
  });

  it("[H14] is tuned for its container's memory, not the host's", async () => {
    const release = await postgres();
    expect(release.text(`${CONFIG}/restart.conf`)).toContain("shared_buffers = '128MB'\n");
    const larger = await postgres({ memory: "2G" });
    expect(larger.text(`${CONFIG}/restart.conf`)).toContain("shared_buffers = '512MB'\n");
    expect(larger.text(FILE)).toContain("\nMemoryMax=2048M\n");
  });

  it("restarts for settings that the server reads at its start, reloads for the others", async () => {
    const { units, images } = await postgres();
    expect(images).toEqual(["docker.io/library/postgres:17.6"]);
    const unit = units["hearth-postgres.service"];
    expect(unit?.restartOn).toEqual(
      expect.arrayContaining([
        ...[FILE, `${CONFIG}/postgresql.conf`, `${CONFIG}/restart.conf`],
        ...["image:docker.io/library/postgres:17.6", "container-secret:hearth-database-superuser"],
      ]),
    );
    expect(unit?.reloadOn.toSorted()).toEqual([`${CONFIG}/pg_hba.conf`, `${CONFIG}/reload.conf`]);
  });

  it("has its settings and its data checked by its own image before any file is replaced", async () => {
    const { validators } = await postgres({ image: "docker.io/library/postgres:16.10" });
    expect(Object.keys(validators)).toEqual(["10-settings", "20-data", "40-quadlet"]);
    for (const name of ["10-settings", "20-data"])
      expect(validators[name]?.argv).toContain("docker.io/library/postgres:16.10");
  });

  it("gives others its socket's volume, read-only, and its unit", async () => {
    const { homeserver } = (await containerReleases()).releases;
    const container = homeserver?.files[`${CONTAINERS}/hearth-synapse.container`]?.content;
    expect(container).toContain("\nVolume=hearth-database-socket.volume:/var/run/postgresql:ro\n");
    expect(container).toContain("\nAfter=hearth-postgres.service\n");
  });
});

describe("the check of existing data", () => {
  const PROGRAM = resolve(__dirname, "../../components/postgres/programs/check_data.py");
  let data: string;
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), "hearth-data-"));
  });
  afterEach(() => rmSync(data, { recursive: true }));

  const file = (path: string, text: string) => {
    mkdirSync(join(data, path, ".."), { recursive: true });
    writeFileSync(join(data, path), text);
  };
  const checked = () => {
    const version = ["echo", "postgres (PostgreSQL) 17.6"];
    const { status, stderr } = spawnSync("python3", ["-B", PROGRAM, data, ...version], { encoding: "utf8" });
    return { status, stderr };
  };

  it.each<[string, Record<string, string>, RegExp | null]>([
    ["nothing yet", {}, null],
    ["of this version", { PG_VERSION: "17\n", "global/pg_control": "x" }, null],
    ["of another version", { PG_VERSION: "16\n", "global/pg_control": "x" }, /is Postgres 16's/],
    ["something else", { "notes.txt": "x" }, /no data of Postgres/],
    ["of a first start that a power cut ended", { PG_VERSION: "17\n" }, /a first start was cut off/],
  ])("[H3] [A4] %s", (_what, files, says) => {
    for (const [path, text] of Object.entries(files)) file(path, text);
    const before = readdirSync(data);
    const { status, stderr } = checked();
    expect(status).toBe(says === null ? 0 : 1);
    expect(stderr).toMatch(says ?? /^$/);
    expect(readdirSync(data)).toEqual(before);
  });
});
