import * as fs from "node:fs/promises";
import * as https from "node:https";
import * as os from "node:os";
import * as path from "node:path";
import type { CheckResult, VerificationInputs } from "../../../../provider/contract/matrix";
import type { Observations } from "../../../../provider/matrix/verification/host";
import { verify } from "../../../../provider/matrix/verification/run";
import { type Homeserver, runHostProgram, startHomeserver } from "../homeserver";
import { Authority } from "./certificate";
import { CLEAR_PORT, type Faults, FaultyProxy } from "./faulty-proxy";

const SERVER_NAME = "verified.test";
const PUBLIC_HOST = "matrix.verified.test";
const PARTNER = "matrix.partner.test";
/** Loopback addresses of this file's own: the checks ask the real ports. */
const ADDRESS = "127.64.7.1";
const PARTNER_ADDRESS = "127.64.7.2";
const LIMIT = 2 * 1024 * 1024;

let directory: string;
let authority: Authority;
let homeserver: Homeserver;
let proxy: FaultyProxy;
let partner: https.Server;
let partnerAnswer: { status: number; body: object };
let good: { cert: string; key: string };

beforeAll(async () => {
  directory = await fs.mkdtemp(path.join(os.tmpdir(), "hearth-verification-"));
  authority = await Authority.create(directory);
  good = await authority.issue([SERVER_NAME, PUBLIC_HOST, PARTNER]);
  homeserver = await startHomeserver(SERVER_NAME, { max_upload_size: LIMIT });
  proxy = new FaultyProxy({
    ...{ address: ADDRESS, upstream: homeserver.url, publicHost: PUBLIC_HOST, bodyLimit: LIMIT, tls: good },
  });
  await proxy.start();
  partner = https.createServer(good, (_request, response) => {
    response.writeHead(partnerAnswer.status, { "content-type": "application/json" });
    response.end(JSON.stringify(partnerAnswer.body));
  });
  await new Promise<void>((resolve) => partner.listen(443, PARTNER_ADDRESS, resolve));
});

afterAll(async () => {
  partner?.close();
  await proxy?.stop();
  await homeserver?.stop();
  await fs.rm(directory, { recursive: true, force: true });
});

beforeEach(() => {
  proxy.faults = {};
  proxy.useCertificate(good);
  partnerAnswer = { status: 200, body: { displayname: "hearth" } };
});

function inputs(): VerificationInputs {
  return {
    connection: { name: "here", transport: "local", become: "none" },
    ...{ serverName: SERVER_NAME, publicHost: PUBLIC_HOST, homeserverUrl: `unix:${homeserver.socket}` },
    proxyUrl: `https://${ADDRESS}:443`,
    scope: "system",
    registrationSecret: homeserver.registrationSecret,
    ...{ maxUploadBytes: LIMIT, federationPort: true, delegation: "here", partner: `https://${PARTNER}` },
    closedPorts: { 5432: "Postgres", 8008: "homeserver" },
    resolve: { [SERVER_NAME]: ADDRESS, [PUBLIC_HOST]: ADDRESS, [PARTNER]: PARTNER_ADDRESS },
    caFile: authority.caFile,
    database: {
      name: "synapse",
      role: "synapse",
      maxConnections: 10,
      console: ["runuser", "-u", "postgres", "--", "psql"],
    },
    ...{ mediaPath: homeserver.mediaPath, mediaLimitBytes: 0, logFile: homeserver.logFile, revisions: {} },
  };
}

async function check(changes: Partial<VerificationInputs> = {}): Promise<CheckResult[]> {
  const wanted = { ...inputs(), ...changes };
  const request = { ...wanted, stateDirectory: path.join(directory, "state") };
  return verify(wanted, { observe: () => runHostProgram<Observations>("verify.py", request) });
}

function failing(results: CheckResult[]): string[] {
  return results.filter(({ result }) => result === "fail").map((result) => result.check);
}

/** SQLite is a fault by itself, and the only homeserver this test can start without a Postgres. */
const ALWAYS = "Postgres connections";

async function media(): Promise<string[]> {
  const all = await fs.readdir(homeserver.mediaPath, { recursive: true, withFileTypes: true });
  return all.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

test("[V13] a good proxy fails nothing but the SQLite database, and the uploaded file is gone again", async () => {
  const results = await check();
  expect(failing(results)).toEqual([ALWAYS]);
  expect(results.find(({ check }) => check === ALWAYS)?.seen).toMatch(/homeserver\.db open: SQLite/);
  const open = results.filter(({ result }) => result === "not checked").map((result) => result.check);
  expect(open).toEqual([`DNS ${SERVER_NAME}`, `DNS ${PUBLIC_HOST}`, "other ports closed"]);
  expect(await media()).toEqual([]);
});

test("[H15] behind a tunnel that ends TLS: uploads go to the proxy in the clear, and nobody answers on 8448", async () => {
  const tunnel = { proxyUrl: `http://${ADDRESS}:${CLEAR_PORT}`, federationPort: false };
  const results = await check(tunnel);
  expect(failing(results)).toEqual([ALWAYS]);
  expect(results.find(({ check }) => check === "upload at the limit")).toMatchObject({ result: "pass" });
  expect(results.find(({ check }) => check === "forged X-Forwarded-For")?.seen).toMatch(
    /^a tunnel on the host says/,
  );
  expect(await media()).toEqual([]);
});

const PLANTED: [fault: string, faults: Faults, checks: string[]][] = [
  ["[V9] the admin API is passed on", { exposeAdmin: true }, ["admin API closed"]],
  ["[A8] metrics are public", { exposeMetrics: true }, ["metrics closed"]],
  ["[V9] a forged X-Forwarded-For is kept", { appendForwarded: true }, ["forged X-Forwarded-For"]],
  [
    "[V9] paths arrive decoded",
    { decodePaths: true },
    ["encoded paths, client", "encoded paths, federation"],
  ],
  ["[V3] CORS headers are added twice", { doubleCors: true }, ["client API"]],
  ["[V13] the keys are changed on the way", { changeKeys: true }, ["server keys"]],
  [
    "[V9] federation is not served",
    { noFederation: true },
    ["federation API", "server keys", "encoded paths, federation"],
  ],
  ["[V9] port 80 does not redirect", { plainMatrix: true }, ["plain HTTP"]],
  ["[V7] the proxy takes less than the homeserver", { bodyLimit: LIMIT - 1 }, ["upload at the limit"]],
  ["[V7] the proxy takes more than the homeserver", { bodyLimit: LIMIT * 2 }, ["upload above the limit"]],
  [
    "[V3] the client document is plain text",
    { wellKnown: { client: { type: "text/plain" } } },
    ["well-known client"],
  ],
  ["[V3] the client document has no CORS", { wellKnown: { client: { cors: [] } } }, ["well-known client"]],
  [
    "[V3] the client document has CORS twice",
    { wellKnown: { client: { cors: ["*", "*"] } } },
    ["well-known client"],
  ],
  ["[V3] the server document is missing", { wellKnown: { server: { status: 404 } } }, ["well-known server"]],
  [
    "[V3] the server document names another host",
    { wellKnown: { server: { body: '{"m.server":"elsewhere.test:443"}' } } },
    ["well-known server"],
  ],
];

test.each(PLANTED)("%s: found", async (_fault, faults, checks) => {
  proxy.faults = faults;
  const results = await check();
  expect(failing(results).filter((name) => name !== ALWAYS)).toEqual(checks);
  for (const result of results) if (result.result === "fail") expect(result.fix).not.toBe("");
  expect(await media()).toEqual([]);
});

test("[V9] a certificate for another name, one that has ended, one by an unknown authority: found on every port", async () => {
  const everywhere = [SERVER_NAME, PUBLIC_HOST].map((name) => `certificate ${name}:443`);
  everywhere.push(`certificate ${PUBLIC_HOST}:8448`);
  proxy.useCertificate(await authority.issue([SERVER_NAME]));
  expect(failing(await check())).toEqual([...everywhere.slice(1), ALWAYS]);
  proxy.useCertificate(await authority.issue([SERVER_NAME, PUBLIC_HOST], "20210101000000Z"));
  expect(failing(await check())).toEqual([...everywhere, ALWAYS]);
  proxy.useCertificate(good);
  expect(failing(await check({ caFile: undefined }))).toEqual([...everywhere, ALWAYS]);
});

test("[V5] a partner that is refused or cannot reach us: found, with what it said", async () => {
  partnerAnswer = {
    status: 403,
    body: { errcode: "M_FORBIDDEN", error: "Federation denied with partner.test." },
  };
  const refused = await check();
  expect(failing(refused)).toContain("signed request");
  expect(refused.find((one) => one.check === "signed request")?.seen).toMatch(/Federation denied/);
  partnerAnswer = { status: 502, body: { errcode: "M_UNKNOWN", error: "Failed to fetch profile" } };
  expect(failing(await check())).toContain("signed request");
});

test("[V7] media above its limit: found", async () => {
  await fs.mkdir(homeserver.mediaPath, { recursive: true });
  const ballast = path.join(homeserver.mediaPath, "ballast");
  await fs.writeFile(ballast, Buffer.alloc(200_000));
  try {
    expect(failing(await check({ mediaLimitBytes: 100_000 }))).toEqual([ALWAYS, "media disk use"]);
  } finally {
    await fs.rm(ballast);
  }
});

test("[V13] a federation error in the log of the last hour is found, an old one is not", async () => {
  const line = (when: Date) => {
    const local = new Date(when.getTime() - when.getTimezoneOffset() * 60_000).toISOString();
    return `${local.slice(0, 10)} ${local.slice(11, 19)},123 - synapse.federation.sender - 10 - ERROR - x-1 - it broke\n`;
  };
  const before = await fs.readFile(homeserver.logFile);
  try {
    await fs.appendFile(homeserver.logFile, line(new Date(Date.now() - 2 * 3600_000)));
    expect(failing(await check())).toEqual([ALWAYS]);
    await fs.appendFile(homeserver.logFile, line(new Date()));
    expect(failing(await check())).toEqual([ALWAYS, "federation log"]);
  } finally {
    await fs.writeFile(homeserver.logFile, before);
  }
});

test("[V13] a host that cannot be asked leaves the checks from outside theirs, and says so", async () => {
  const results = await verify(inputs(), {
    observe: () => Promise.reject(new Error("here cannot be reached\n  fix: …")),
  });
  const open = results.filter((one) => one.result === "not checked" && one.seen === "here cannot be reached");
  expect(open.map((one) => one.check)).toEqual([
    "upload at the limit",
    "forged X-Forwarded-For",
    ALWAYS,
    "media disk use",
    "federation log",
  ]);
  expect(failing(results)).toEqual([]);
});
