import { clusterFault } from "../../components/postgres/cluster";
import { loggedStatements } from "../../components/postgres/logged-statements";
import { postgresSpec } from "../../components/postgres/spec";
import { tune } from "../../components/postgres/tuning";
import { type PostgresConfig, postgresSchema } from "../../config-schemas/postgres/schema";
import { native } from "../../runtimes/native";
import { SYSTEM_PLACES } from "../../runtimes/places";
import { changed, DEBIAN_12, DEBIAN_13, fixture, releasesOf, runProgram } from "../support/program";

const config = (keys: object = {}) => postgresSchema.parse({ host: "vps", ...keys });
const settings = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(" = ")[0]);

describe("[V2] memory settings fit the host", () => {
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

  it("leaves memory for the rest of the host even if every connection sorts", () => {
    for (const memory of [960, 1984, 3904, 7936, 15_936]) {
      const { sharedBuffers, workMem, maxConnections } = tune(memory, 10);
      expect(sharedBuffers + workMem * maxConnections).toBeLessThan(memory / 2);
    }
  });
});

/** The two files on a host with this memory. */
function filesOf(postgres: PostgresConfig, memoryMiB: number): { restart: string; reload: string } {
  const { files = {} } = native.render([postgresSpec(postgres, DEBIAN_13)], {
    places: SYSTEM_PLACES,
    memoryMiB,
  });
  const text = (name: string) => files[`/etc/hearth/postgres/${name}`]?.content ?? "";
  return { restart: text("restart.conf"), reload: text("reload.conf") };
}

describe("the two files", () => {
  it("restart Postgres for settings that it reads only at its start, and reload it for the others", () => {
    const { restart, reload } = filesOf(config(), 3904);
    expect(settings(restart)).toEqual(["listen_addresses", "max_connections", "shared_buffers"]);
    expect(settings(reload)).toEqual([
      "effective_cache_size",
      "maintenance_work_mem",
      "work_mem",
      "log_min_error_statement",
      "log_error_verbosity",
      "hearth.managed",
    ]);
  });

  it("replace computed settings with the operator's, each in its file", () => {
    const own = { max_connections: 77, work_mem: "9MB", wal_level: "replica", jit: false };
    const { restart, reload } = filesOf(config({ settings: own }), 3904);
    expect(restart).toContain("max_connections = '77'\n");
    expect(restart).toContain("wal_level = 'replica'\n");
    expect(restart).not.toContain("'30'");
    expect(reload).toContain("work_mem = '9MB'\n");
    expect(reload).toContain("jit = off\n");
  });

  it("escape characters that would end a value early", () => {
    const { reload } = filesOf(config({ settings: { log_line_prefix: "it's \\ %m" } }), 3904);
    expect(reload).toContain("log_line_prefix = 'it''s \\\\ %m'\n");
  });

  it("leave memory settings to Postgres if tuning is off", () => {
    const { restart, reload } = filesOf(config({ tuning: "none" }), 3904);
    expect(settings(restart)).toEqual(["listen_addresses"]);
    expect(settings(reload)).toEqual(["log_min_error_statement", "log_error_verbosity", "hearth.managed"]);
  });

  it("[A9] keep the values of a failed statement and the details of its error out of the log", () => {
    const { reload } = filesOf(config(), 3904);
    expect(reload).toContain("log_min_error_statement = 'panic'\n");
    expect(reload).toContain("log_error_verbosity = 'terse'\n");
  });

  it.each([
    ["peer", "listen_addresses = ''"],
    ["password", "listen_addresses = 'localhost'"],
  ])("open only what %s authentication needs", (authentication, line) => {
    expect(filesOf(config({ authentication }), 3904).restart).toContain(`${line}\n`);
  });
});

describe("[R7] a setting that writes statements, and the tokens in them, into the log", () => {
  const names = (settings: object) =>
    loggedStatements(config({ settings })).map((text) => /settings\.(\S+) is/.exec(text)?.[1]);

  it.each([
    ["log_statement", "all", "none"],
    ["log_min_duration_statement", "500ms", -1],
    ["log_min_duration_sample", 0, "-1"],
    ["log_transaction_sample_rate", 0.1, 0],
    ["log_min_error_statement", "error", "panic"],
    ["log_error_verbosity", "default", "terse"],
    ["log_parameter_max_length_on_error", -1, 0],
    ["debug_print_plan", true, false],
    ["log_min_messages", "DEBUG2", "warning"],
    ["shared_preload_libraries", "pg_stat_statements, auto_explain", "pg_stat_statements"],
    ["auto_explain.log_min_duration", "1s", -1],
  ])("causes a warning with the reason: %s", (name, logging, quiet) => {
    expect(names({ [name]: logging })).toEqual([name]);
    expect(names({ [name]: quiet })).toEqual([]);
  });

  it("causes a warning in the preview, and the preview continues", async () => {
    const stack = changed(fixture("minimal"), { "postgres.settings": { log_statement: "ddl" } });
    const { warnings, errors } = await runProgram(stack);
    expect(warnings).toContainEqual(
      expect.stringContaining('hearth:postgres.settings.log_statement is "ddl"'),
    );
    expect(errors).toEqual([]);
  });
});

describe("the release", () => {
  it("[R1] has no path where a service user could create a link, and no file of Hearth in a folder of postgres", async () => {
    const { postgres } = releasesOf(await runProgram(fixture("minimal")));
    const paths = Object.keys({ ...postgres?.files, ...postgres?.directories, ...postgres?.secrets });
    expect(
      paths.filter((path) => !/^\/(etc\/hearth|usr\/local\/lib\/hearth|etc\/systemd\/system)\//.test(path)),
    ).toEqual([]);
    for (const { owner } of Object.values({ ...postgres?.files, ...postgres?.directories }))
      expect(owner).toBe("root");
  });

  it("[W6] uses the cluster's name, port and socket, and so does Synapse", async () => {
    const facts = { ...DEBIAN_13, postgresCluster: { name: "hearth", port: 5434, socket: "/srv/sockets" } };
    const { postgres, homeserver } = releasesOf(await runProgram(fixture("minimal"), facts));
    expect(Object.keys(postgres?.units ?? {})).toEqual(["postgresql@17-hearth.service"]);
    expect(postgres?.health.answers).toMatchObject({
      argv: expect.arrayContaining(["--host=/srv/sockets", "--port=5434"]),
    });
    expect(postgres?.tasks["database-synapse"]?.apply.join(" ")).toContain(
      "-- psql --host=/srv/sockets --port=5434",
    );
    expect(homeserver?.files["/etc/hearth/homeserver/homeserver.yaml"]?.content).toMatch(
      /host: \/srv\/sockets\n +port: 5434\n/,
    );
  });

  it.each([
    ["", "has no socket directory"],
    ["/tmp", "has its socket in /tmp, but Synapse's unit has its own /tmp"],
  ])(
    "[W6] is refused in the preview for a cluster with socket directory %p, with the fix",
    (socket, words) => {
      const fault = clusterFault({ ...DEBIAN_13, postgresCluster: { name: "main", port: 5432, socket } });
      expect(fault).toContain(`the Postgres cluster 17/main ${words}`);
      expect(fault).toContain("fix: on the host write unix_socket_directories");
    },
  );

  it("[V2] uses the distribution's major version everywhere", async () => {
    const { postgres } = releasesOf(await runProgram(fixture("minimal"), DEBIAN_12));
    expect(Object.keys(postgres?.units ?? {})).toEqual(["postgresql@15-main.service"]);
    expect(JSON.stringify(postgres)).not.toContain("17");
  });

  it("[V2] has a password that is generated on the host, and names only its file in arguments", async () => {
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
