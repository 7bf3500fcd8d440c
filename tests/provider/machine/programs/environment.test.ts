import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const PROGRAM = join(__dirname, "../../../../provider/machine/programs/lib/environment.py");
const REFUSING = "http://127.0.0.1:9/simple";
let root: string;
let folder: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "hearth-environment-"));
  folder = join(root, "in");
  mkdirSync(folder);
  writeFileSync(join(folder, "requirements.txt"), `idna==3.10 --hash=sha256:${"0".repeat(64)}\n`);
});
afterEach(() => rmSync(root, { recursive: true }));

/** Runs the program with the test's own configuration of pip; standard output, whatever the status. */
async function run(...words: string[]): Promise<string> {
  const env = { PATH: process.env.PATH, HOME: join(root, "home"), XDG_CONFIG_DIRS: join(root, "xdg") };
  const run = promisify(execFile)("python3", ["-I", PROGRAM, ...words], { env });
  return run.then(
    ({ stdout }) => stdout,
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  );
}

function configure(text: string): string {
  const file = join(root, "home", ".config", "pip", "pip.conf");
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const settings = () => JSON.parse(readFileSync(join(folder, "settings.json"), "utf8")).values;
const build = async () => {
  await run("settings", folder);
  return run("build", folder, join(root, "made"), "0");
};

async function index<T>(listener: RequestListener, work: (url: string) => Promise<T>): Promise<T> {
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  try {
    return await work(typeof address === "object" ? `127.0.0.1:${address?.port}/simple` : "");
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("of pip's settings only those that lead to the index reach the build, or a host's habits decide what is installed", async () => {
  configure(`[global]
user = true
target = /elsewhere
prefix = /elsewhere
root = /elsewhere
no-binary = :all:
constraint = /etc/constraints.txt
require-virtualenv = true
index_url = https://mirror.example/simple
extra-index-url =
  https://one.example/simple
  https://two.example/simple
default-timeout = 60
retries = 1000
[install]
no-deps = false
proxy = http://proxy.example:3128
`);
  await run("settings", folder);
  expect(settings()).toMatchObject({
    "index-url": "https://mirror.example/simple",
    "extra-index-url": ["https://one.example/simple", "https://two.example/simple"],
    proxy: "http://proxy.example:3128",
    timeout: 60,
    retries: 10,
  });
  expect(Object.keys(settings())).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(user|target|prefix|root|no-|constraint|require)/)]),
  );
});

test("a configuration that is none is named", async () => {
  const file = configure("index-url = https://mirror.example/simple\n");
  expect(await run("settings", folder)).toContain(
    `hearth: ${file} is not a configuration of pip: File contains no section headers.`,
  );
});

test("an index that refuses is told in one line, with where it is set, and no password of its address", async () => {
  const file = configure("[global]\nindex-url = http://me:pw-of-the-mirror@127.0.0.1:9/simple\n");
  const said = await build();
  expect(said).toBe(
    `hearth: the Python index http://[hidden]@127.0.0.1:9/simple cannot be reached: Connection refused (index-url in ${file}, section [global])\n`,
  );
}, 30_000);

test("a proxy that refuses is named as one", async () => {
  const file = configure(
    "[global]\nindex-url = http://mirror.example/simple\nproxy = http://me:pw@127.0.0.1:9\n",
  );
  expect(await build()).toBe(
    `hearth: the Python index http://mirror.example/simple cannot be reached: Connection refused (index-url in ${file}, section [global]); asked through the proxy http://[hidden]@127.0.0.1:9 (proxy in ${file}, section [global])\n`,
  );
}, 30_000);

test.each([403, 404, 401])("an index that answers %i is told with its answer, at once", async (code) => {
  let asked = 0;
  const said = await index(
    (_, response) => {
      asked += 1;
      response.writeHead(code).end();
    },
    (url) => {
      configure(`[global]\nindex-url = http://${url}\n`);
      return build();
    },
  );
  expect(said).toMatch(
    new RegExp(`^hearth: the Python index http://\\S+ answered ${code} \\S.* for idna \\(`),
  );
  expect(asked).toBe(1);
});

test("a second index that has the project is enough, and the login of its address is sent as pip sends it", async () => {
  const logins: (string | undefined)[] = [];
  const page = '<a href="idna-3.9-py3-none-any.whl#sha256=00">idna-3.9-py3-none-any.whl</a>';
  const said = await index(
    (request, response) => {
      logins.push(request.headers.authorization);
      response.writeHead(200, { "content-type": "text/html" }).end(page);
    },
    (url) => {
      configure(
        `[global]\nindex-url = http://${url}\nextra-index-url = ${REFUSING}\ntrusted-host = 127.0.0.1\nretries = 1\n`.replace(
          "http://127",
          "http://me:pw%20x@127",
        ),
      );
      return build();
    },
  );
  expect(logins[0]).toBe(`Basic ${Buffer.from("me:pw x").toString("base64")}`);
  // It has the project, not this version: pip's own last line would only be "No matching distribution found".
  expect(said.trimEnd().split("\n").pop()).toMatch(
    /^hearth: the index has no wheel of idna in the locked version for Python 3\.\d+ on \w+ \(an old mirror\?\)$/,
  );
  expect(said).not.toContain("pw%20x");
}, 120_000);
