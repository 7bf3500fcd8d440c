import type { CheckResult } from "../../../../provider/contract/matrix";
import { verification } from "../../../../provider/matrix/verification";
import { trust } from "../../../../provider/matrix/verification/certificate";
import { completed, verificationShape } from "../../../../provider/matrix/verification/inputs";
import { verify } from "../../../../provider/matrix/verification/run";
import type { Call } from "../../../../provider/protocol/resource";
import { parse } from "../../../../provider/protocol/shape";
import { type Properties, UNKNOWN } from "../../../../provider/protocol/values";

jest.mock("../../../../provider/matrix/verification/run");
const checks = jest.mocked(verify);

const infos: string[] = [];
const quiet = async () => undefined;

function call(preview = false, signal = new AbortController().signal): Call {
  const info = async (message: string) => {
    infos.push(message);
  };
  return {
    ...{ urn: "urn", name: "vps-verification", preview, offline: false, timeoutSeconds: 0, signal },
    log: { step: quiet, info, warning: quiet, debug: quiet },
  };
}

const inputs: Properties = {
  connection: { name: "vps", transport: "ssh", address: "192.0.2.1", become: "none" },
  ...{
    serverName: "example.org",
    publicHost: "matrix.example.org",
    homeserverUrl: "unix:/run/hearth-synapse/synapse.sock",
  },
  ...{
    scope: "system",
    proxyUrl: "https://127.0.0.1:443",
    registrationSecret: "/secret",
    maxUploadBytes: 1024,
    federationPort: true,
    closedPorts: { 5432: "Postgres", 8008: "homeserver", 9000: "metrics" },
    delegation: "here",
    resolve: {},
  },
  database: {
    name: "synapse",
    role: "synapse",
    maxConnections: 10,
    console: ["runuser", "-u", "postgres", "--", "psql"],
  },
  ...{ mediaPath: "/media", mediaLimitBytes: 0, logFile: "/log", revisions: { homeserver: "one" } },
};

const result = (check: string, verdict: CheckResult["result"]): CheckResult => ({
  ...{ check, result: verdict, seen: `${check} was seen`, fix: verdict === "fail" ? `repair ${check}` : "" },
});

beforeEach(() => {
  checks.mockReset();
  infos.length = 0;
});

test("[V13] a failing check fails the update with every failing check, what was seen and what to do", async () => {
  checks.mockResolvedValue([result("DNS", "fail"), result("client API", "pass"), result("metrics", "fail")]);
  await expect(verification.create(call(), inputs)).rejects.toThrow(
    `example.org runs, but 2 of 3 checks failed: DNS, metrics
  DNS: DNS was seen
    fix: repair DNS
  metrics: metrics was seen
    fix: repair metrics`,
  );
});

test("[V13] what could not be checked does not fail the update but is named", async () => {
  const results = [result("DNS", "not checked"), result("client API", "pass")];
  checks.mockResolvedValue(results);
  expect(await verification.create(call(), inputs)).toEqual({ id: "vps-verification", outputs: { results } });
  expect(infos).toEqual(["example.org: 1 of 2 checks passed, 1 not checked (DNS)"]);
});

test("a preview checks nothing, and neither does Read", async () => {
  expect((await verification.create(call(true), inputs)).outputs).toEqual({ results: UNKNOWN });
  const state = { id: "x", inputs, outputs: { results: [] } };
  expect(await verification.read(call(), state)).toEqual(state);
  expect(checks).not.toHaveBeenCalled();
});

test("[A1] the checks run again when what they check changed, not when the host got another address", () => {
  const moved = {
    ...inputs,
    connection: { name: "vps", transport: "ssh", address: "192.0.2.2", become: "none" },
  };
  expect(verification.diff(inputs, moved).details.size).toBe(0);
  const redeployed = { ...inputs, revisions: { homeserver: "two" } };
  expect([...verification.diff(inputs, redeployed).details.keys()]).toEqual(["revisions.homeserver"]);
});

test("Ctrl-C while the checks run is not taken for their result", async () => {
  const stopping = new AbortController();
  checks.mockImplementation(async () => {
    stopping.abort();
    return [result("client API", "fail")];
  });
  await expect(verification.create(call(false, stopping.signal), inputs)).rejects.toThrow(
    "the verification was cancelled",
  );
});

test.each<[string, Properties, RegExp]>([
  ["an unknown key", { sever: "x" }, /^sever: is not a key here/],
  ["a partner over plain HTTP", { partner: "http://matrix.org" }, /^partner: "http:\/\/matrix\.org"/],
  [
    "no pool",
    { database: { name: "synapse", role: "synapse", maxConnections: 0, console: ["psql"] } },
    /^database\.maxConnections: /,
  ],
])("%s is refused", (_what, change, message) => {
  expect(verification.check({}, { ...inputs, ...change }).faults.join("\n")).toMatch(message);
});

test("an authority file that is missing or is none is named in one message", () => {
  expect(() => trust("/nonexistent/ca.pem")).toThrow(
    /^verification\.caFile \/nonexistent\/ca\.pem cannot be used: ENOENT.*\n {2}fix: name a readable PEM file/,
  );
  expect(() => trust(__filename)).toThrow(/cannot be used/);
});

test("[W6] how psql reaches the database is no reason to check again; another database is", () => {
  const changed = (change: Properties): Properties => {
    const { name, role, maxConnections } = { name: "synapse", role: "synapse", maxConnections: 10 };
    return { ...inputs, database: { name, role, maxConnections, console: ["psql"], ...change } };
  };
  expect([...verification.diff(inputs, changed({})).details]).toEqual([]);
  expect([...verification.diff(inputs, changed({ name: "other" })).details.keys()]).toEqual([
    "database.name",
  ]);
});

test("[A1] [V11] a state from before the program named the closed ports is no difference, if they are the ports of the usual programs", () => {
  const { closedPorts: _, ...old } = inputs;
  expect([...verification.diff(old, inputs).details]).toEqual([]);
  const more = { ...inputs, closedPorts: { 8018: "homeserver" } };
  expect(verification.diff(old, more).details.size).toBeGreaterThan(0);
});

test("[V13] a state of an earlier version is kept, checked again by the next up, and good for `hearth verify`", async () => {
  const { scope: _, proxyUrl: __, closedPorts: ___, registrationSecret, ...rest } = inputs;
  const database = { name: "synapse", role: "synapse", maxConnections: 10 };
  const old: Properties = { ...rest, registrationSecretPath: registrationSecret ?? "", database };
  const state = { id: "x", inputs: old, outputs: {} };
  expect(await verification.read(call(), state)).toBe(state);
  expect(verification.diff(old, inputs).details.size).toBeGreaterThan(0);
  expect(parse(verificationShape, completed(old), "it")).toEqual(parse(verificationShape, inputs, "it"));
  await verification.delete(call(), state);
});
