import type { VerificationInputs } from "../../../../provider/contract/matrix";
import type { Finding } from "../../../../provider/matrix/verification/finding";
import * as host from "../../../../provider/matrix/verification/host";

type Result = Finding["result"];

describe("what the host saw", () => {
  const inputs: VerificationInputs = {
    connection: { name: "vps", transport: "local", become: "none" },
    ...{
      serverName: "example.org",
      publicHost: "matrix.example.org",
      homeserverUrl: "unix:/run/hearth-synapse/synapse.sock",
    },
    ...{
      scope: "system",
      proxyUrl: "https://127.0.0.1:443",
      registrationSecret: "/s",
      maxUploadBytes: 1024,
      federationPort: true,
      closedPorts: {},
      delegation: "here",
      resolve: {},
    },
    database: {
      name: "synapse",
      role: "synapse",
      maxConnections: 10,
      console: ["runuser", "-u", "postgres", "--", "psql"],
    },
    ...{ mediaPath: "/m", mediaLimitBytes: 1000, logFile: "/l", revisions: {} },
  };
  const GIB = 1024 ** 3;
  const seen: host.Observations = {
    admin: {},
    upload: { bytes: 1024, status: 200, removed: "yes" },
    forwardedAddress: { forged: "2001:db8::1", believed: false, seen: ["127.0.0.1"] },
    destinations: { known: 4, failing: 1, names: ["dead.example"] },
    database: { sqlite: [], connections: 9, available: 100 },
    media: { used: 500, free: 9 * GIB, size: 10 * GIB },
    log: { warnings: { "dead.example": 7 }, errors: [], errorCount: 0 },
  };
  const judges = {
    upload: (given: host.Observations) => host.judgeUpload(given),
    forwarded: (given: host.Observations) => host.judgeForwardedAddress(given),
    database: (given: host.Observations) => host.judgeDatabase(inputs, given),
    media: (given: host.Observations) => host.judgeMedia(inputs, given),
    log: (given: host.Observations) => host.judgeLog(inputs, given),
  };

  test.each<[keyof typeof judges, string, Partial<host.Observations>, Result]>([
    ["upload", "[V7] taken and removed", {}, "pass"],
    ["upload", "[V7] too large", { upload: { bytes: 1024, status: 413 } }, "fail"],
    ["upload", "[V7] cut off", { upload: { bytes: 1024, hungUp: "EOF occurred" } }, "fail"],
    ["upload", "[V7] time-out of the proxy", { upload: { bytes: 1024, status: 504 } }, "fail"],
    [
      "upload",
      "[V7] left behind",
      { upload: { bytes: 1024, status: 200, removed: "403 M_FORBIDDEN" } },
      "fail",
    ],
    ["upload", "[V7] no proxy on this host", { upload: { error: "connection refused" } }, "not checked"],
    ["upload", "[V7] no admin account", { admin: { error: "no" }, upload: undefined }, "not checked"],
    ["forwarded", "[V9] ignored", {}, "pass"],
    ["forwarded", "[V9] believed", { forwardedAddress: { forged: "2001:db8::1", believed: true } }, "fail"],
    [
      "forwarded",
      "[V9] nothing recorded",
      { forwardedAddress: { believed: false, seen: [] } },
      "not checked",
    ],
    ["database", "[V13] in range", {}, "pass"],
    ["database", "[V13] none", { database: { sqlite: [], connections: 0, available: 100 } }, "fail"],
    [
      "database",
      "[V13] more than the pool",
      { database: { sqlite: [], connections: 11, available: 100 } },
      "fail",
    ],
    ["database", "[V13] SQLite open", { database: { sqlite: ["/x/homeserver.db"], connections: 3 } }, "fail"],
    [
      "database",
      "[V13] Postgres down",
      { database: { sqlite: [], error: "could not connect" } },
      "not checked",
    ],
    ["media", "[V13] below the limit", {}, "pass"],
    ["media", "[V13] above the limit", { media: { used: 1001, free: 9 * GIB, size: 10 * GIB } }, "fail"],
    ["media", "[V13] disk nearly full", { media: { used: 500, free: GIB / 2, size: 10 * GIB } }, "fail"],
    ["media", "[V13] no such folder", { media: { error: "/m: No such file or directory" } }, "not checked"],
    ["log", "[V13] a dead server among others", {}, "pass"],
    [
      "log",
      "[V13] an error",
      { log: { errors: ["synapse.federation: x"], errorCount: 1, warnings: {} } },
      "fail",
    ],
    [
      "log",
      "[V13] nobody can be reached",
      { destinations: { known: 3, failing: 3, names: ["a", "b", "c"] } },
      "fail",
    ],
    ["log", "[V13] no log file", { log: { error: "/l: No such file or directory" } }, "not checked"],
  ])("%s: %s", (which, _what, change, result) => {
    const finding = judges[which]({ ...seen, ...change });
    expect(finding.result).toBe(result);
    if (result === "fail") expect(finding.fix).not.toBe("");
  });
});
