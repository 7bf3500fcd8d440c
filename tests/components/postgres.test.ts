import { renderNative } from "../../components/postgres/native";
import { tune } from "../../components/postgres/tuning";
import { postgresSchema } from "../../config-schemas/postgres";
import { changed, DEBIAN_12, fixture, releasesOf, runProgram } from "../support/program";

const config = (keys: object = {}) => postgresSchema.parse({ host: "vps", ...keys });
const settings = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(" = ")[0]);

describe("[V2] memory settings fit the machine", () => {
  it.each([
    // memory, pool, connections, shared buffers, cache, maintenance, sorts (MiB)
    [512, 10, 30, 128, 256, 32, 4],
    [960, 10, 30, 240, 480, 60, 4],
    [1984, 10, 30, 496, 992, 124, 8],
    [3904, 10, 30, 976, 1952, 244, 16],
    [7936, 10, 30, 1984, 3968, 496, 33],
    [64_000, 25, 45, 8192, 32_000, 1024, 64],
  ])("%i MiB, pool of %i", (memory, pool, connections, shared, cache, maintenance, sorts) => {
    expect(tune(memory, pool)).toEqual({
      maxConnections: connections,
      sharedBuffers: shared,
      effectiveCacheSize: cache,
      maintenanceWorkMem: maintenance,
      workMem: sorts,
    });
  });

  it("leaves room for the rest of the machine even when every connection sorts", () => {
    for (const memory of [960, 1984, 3904, 7936, 15_936]) {
      const { sharedBuffers, workMem, maxConnections } = tune(memory, 10);
      expect(sharedBuffers + workMem * maxConnections).toBeLessThan(memory / 2);
    }
  });
});

describe("the two files", () => {
  it("restart Postgres for what it reads at its start only, and reload it for the rest", () => {
    const { restart, reload } = renderNative(config(), 3904);
    expect(settings(restart)).toEqual(["listen_addresses", "max_connections", "shared_buffers"]);
    expect(settings(reload)).toEqual([
      "effective_cache_size",
      "maintenance_work_mem",
      "work_mem",
      "log_min_error_statement",
      "hearth.managed",
    ]);
  });

  it("put the operator's settings over the computed ones, each into its file", () => {
    const own = { max_connections: 77, work_mem: "9MB", wal_level: "replica", jit: false };
    const { restart, reload } = renderNative(config({ settings: own }), 3904);
    expect(restart).toContain("max_connections = '77'\n");
    expect(restart).toContain("wal_level = 'replica'\n");
    expect(restart).not.toContain("'30'");
    expect(reload).toContain("work_mem = '9MB'\n");
    expect(reload).toContain("jit = off\n");
  });

  it("quote what would end a value early", () => {
    const { reload } = renderNative(config({ settings: { log_line_prefix: "it's \\ %m" } }), 3904);
    expect(reload).toContain("log_line_prefix = 'it''s \\\\ %m'\n");
  });

  it("leave memory to Postgres when tuning is off", () => {
    const { restart, reload } = renderNative(config({ tuning: "none" }), 3904);
    expect(settings(restart)).toEqual(["listen_addresses"]);
    expect(settings(reload)).toEqual(["log_min_error_statement", "hearth.managed"]);
  });

  it("[A9] keep what Synapse writes into a statement that fails out of the log", () => {
    expect(renderNative(config(), 3904).reload).toContain("log_min_error_statement = 'panic'\n");
  });

  it.each([
    ["peer", "listen_addresses = ''"],
    ["password", "listen_addresses = 'localhost'"],
  ])("open no more than %s authentication needs", (authentication, line) => {
    expect(renderNative(config({ authentication }), 3904).restart).toContain(`${line}\n`);
  });
});

describe("the release", () => {
  it("[V2] uses the distribution's own major version everywhere", async () => {
    const { postgres } = releasesOf(await runProgram(fixture("minimal"), DEBIAN_12));
    expect(Object.keys(postgres?.units ?? {})).toEqual(["postgresql@15-main.service"]);
    expect(JSON.stringify(postgres)).not.toContain("17");
  });

  it("[V2] with a password: made on the host, in no argument, and only its file is named", async () => {
    const stack = changed(fixture("minimal"), {
      "postgres.authentication": "password",
      "postgres.role": "chat",
    });
    const { postgres, homeserver } = releasesOf(await runProgram(stack));
    const password = "/etc/hearth/postgres/password";
    expect(postgres?.secrets[password]).toEqual({
      source: { kind: "random", bytes: 32 },
      mode: "0600",
      owner: "root",
      group: "root",
    });
    expect(postgres?.tasks["database-synapse"]?.apply).toContain(`--password=${password}`);
    expect(postgres?.tasks["database-synapse"]?.apply).toContain("--identity=/var/lib/hearth/identity");
    const passfile = homeserver?.secrets["/etc/hearth/homeserver/secrets/database.pgpass"];
    expect(passfile).toMatchObject({ mode: "0600", owner: "matrix-synapse" });
    expect(passfile?.source).toMatchObject({ kind: "command", argv: expect.arrayContaining([password]) });
    expect(homeserver?.files["/etc/hearth/homeserver/homeserver.yaml"]?.content).toContain(
      "passfile: /etc/hearth/homeserver/secrets/database.pgpass",
    );
  });
});
