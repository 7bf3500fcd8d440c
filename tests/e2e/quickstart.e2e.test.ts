import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { parseDocument } from "yaml";
import type { Result } from "../../cli/quickstart/result";
import { listHosts, onHost } from "../../sandbox";
import { journey } from "../../sandbox/matrix/journey";

const root = path.resolve(__dirname, "../..");
// A separate pair: a developer's running quickstart stays unchanged.
const NAME = "e2e-quickstart";
const resultFile = path.join(root, ".hearth", `${NAME}.json`);
const directory = path.join(root, ".hearth", NAME);

interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

function quickstart(...args: string[]): Promise<Finished> {
  return new Promise((resolve) => {
    const command = ["run", "--silent", "quickstart", "--", "--name", NAME, ...args];
    execFile("npm", command, { cwd: root, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

const readResult = () => JSON.parse(fs.readFileSync(resultFile, "utf8")) as Result;

/** Every service process, with its start time: equal lists mean that nothing was restarted. */
async function lives(): Promise<string[]> {
  const hosts = (await listHosts()).filter((host) => host.name.startsWith(`${NAME}-`));
  const units = ["matrix-synapse.service", "postgresql@17-main.service", "nginx.service"];
  const show = [
    "systemctl",
    "show",
    "--property=Id,MainPID,ActiveState,ActiveEnterTimestampMonotonic",
    ...units,
  ];
  return Promise.all(hosts.map(async (host) => `${host.name}\n${(await onHost(host, show)).stdout}`));
}

let first: Finished;

beforeAll(async () => {
  await quickstart("--down");
  first = await quickstart();
});

afterAll(() => quickstart("--down"));

test("one command ends with a message that both homeservers store encrypted and that the other user has read", () => {
  expect({ code: first.code, stderr: first.code === 0 ? "" : first.stderr }).toEqual({ code: 0, stderr: "" });
  expect(first.stdout).toContain(`@alice:one.${NAME}.test: Hello from the other side of federation`);
  expect(first.stdout).toContain(`@bob:two.${NAME}.test: Read you loud and clear`);
  expect(first.stderr.split("\n").filter((line) => line.endsWith(" ..."))).toEqual([
    "Booting two Debian hosts ...",
    "Deploying a homeserver to each ...",
    "Checking both from outside ...",
    "Sending an encrypted message across federation ...",
  ]);
});

test("the result file names both servers, only its owner may read it, and its passwords are not printed", () => {
  expect(fs.statSync(resultFile).mode & 0o777).toBe(0o600);
  const { servers, timings } = readResult();
  expect(servers.map(({ serverName, baseUrl, host }) => ({ serverName, baseUrl, host }))).toEqual([
    { serverName: `one.${NAME}.test`, baseUrl: `https://matrix.one.${NAME}.test`, host: `${NAME}-one` },
    { serverName: `two.${NAME}.test`, baseUrl: `https://matrix.two.${NAME}.test`, host: `${NAME}-two` },
  ]);
  expect(servers.map(({ accounts }) => accounts.map(({ user }) => user))).toEqual([
    ["alice", "admin"],
    ["bob", "admin"],
  ]);
  expect(Object.keys(timings)).toEqual(["toolchain", "hosts", "servers", "checks", "journey", "total"]);
  const passwords = servers.flatMap(({ accounts }) => accounts.map(({ password }) => password));
  expect(Math.min(...passwords.map(({ length }) => length))).toBeGreaterThanOrEqual(20);
  for (const password of passwords) {
    const leaks = filesBelow(directory).filter((file) => fs.readFileSync(file).includes(password));
    expect({ leaks, printed: (first.stdout + first.stderr).includes(password) }).toEqual({
      leaks: [],
      printed: false,
    });
  }
});

test("the accounts of the result file can log in and write to each other, without other information", async () => {
  const { servers } = readResult();
  const resolve = servers.flatMap(({ serverName, baseUrl, address }) => [
    [serverName, address],
    [new URL(baseUrl).hostname, address],
  ]);
  const [one, two] = servers.map(({ serverName, accounts }) => ({ serverName, ...accounts[0] }));
  if (!one || !two) throw new Error("two servers");
  const { messages } = await journey({
    accounts: [one, two],
    ...{
      resolve: Object.fromEntries(resolve),
      caFile: servers[0]?.caFile ?? "",
      alias: "from-the-file",
      leave: true,
    },
  });
  expect(messages).toHaveLength(2);
});

test("a second run changes nothing: no restart, the same file, and it keeps the user's edit of the stack file", async () => {
  const before = { lives: await lives(), result: fs.readFileSync(resultFile, "utf8") };
  const second = await quickstart();
  expect({ code: second.code, says: second.stdout.split("\n")[0] }).toEqual({
    code: 0,
    says: "Nothing had to change.",
  });
  expect({ lives: await lives(), result: fs.readFileSync(resultFile, "utf8") }).toEqual(before);
});

test("its suggestions work: a preview shows exactly the changed line of the retention edit, and the one restart", async () => {
  const commands = first.stdout.split("\n").map((line) => line.trim());
  const [backend, edit, preview] = ["export PULUMI", "sed -i", "toolchain/pulumi preview"].map((start) =>
    commands.find((line) => line.startsWith(start)),
  );
  const config = path.join(directory, `${NAME}-one.yaml`);
  const before = fs.readFileSync(config, "utf8");
  const shown = await shell(`${backend}; ${edit} && ${preview} --color never --non-interactive`);
  expect(
    parseDocument(fs.readFileSync(config, "utf8")).getIn([
      "config",
      "hearth:homeserver",
      "media",
      "remoteLifetime",
    ]),
  ).toBe("30d");
  fs.writeFileSync(config, before);
  const lines = [...shown.stdout.split("\n"), ...shown.stderr.split("\n")].map((line) => line.trim());
  expect({
    code: shown.code,
    changed: lines.filter((line) => /^[-+] /.test(line)),
    restarts: lines.filter((line) => line.includes("will re")),
  }).toEqual({
    code: 0,
    changed: ["-   remote_media_lifetime: 90d", "+   remote_media_lifetime: 30d"],
    restarts: [expect.stringMatching(/^homeserver on \S+: will restart matrix-synapse\.service$/)],
  });
});

test("--down removes hosts, state and files, and a second --down has nothing to do", async () => {
  expect((await quickstart("--down")).code).toBe(0);
  expect((await listHosts()).map(({ name }) => name).filter((name) => name.startsWith(`${NAME}-`))).toEqual(
    [],
  );
  expect([directory, resultFile].filter((file) => fs.existsSync(file))).toEqual([]);
  expect((await quickstart("--down")).code).toBe(0);
});

test("an unknown option is an error of one line, and nothing starts", async () => {
  const { code, stderr } = await quickstart("--dwon");
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: "quickstart: unknown option --dwon; see: npm run quickstart -- --help\n",
  });
});

function shell(text: string): Promise<Finished> {
  return new Promise((resolve) => {
    execFile("sh", ["-c", text], { cwd: root, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

function filesBelow(start: string): string[] {
  return fs
    .readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}
