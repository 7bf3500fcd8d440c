import fs from "node:fs";
import path from "node:path";
import {
  type Ended,
  eventually,
  processesIn,
  removeDirectory,
  run,
  script,
  start,
  temporaryCheckout,
} from "./support";

const pinned = "3.259.0";
let checkout: string;
let bin: string;
let cache: string;

beforeEach(() => {
  checkout = temporaryCheckout();
  bin = path.join(checkout, "bin");
  cache = path.join(checkout, "cache");
  script(path.join(bin, "node"), `exec ${process.execPath} "$@"`);
});
afterEach(() => removeDirectory(checkout));

/** No network in these tests: every request fails at once. */
const offline = () => {
  const file = path.join(checkout, "offline.js");
  fs.writeFileSync(
    file,
    'globalThis.fetch = async () => { throw Object.assign(new Error("offline"), { cause: { code: "ENOTFOUND" } }); };',
  );
  return `--require=${file}`;
};
const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  PATH: bin,
  HOME: checkout,
  HEARTH_CACHE: cache,
  NODE_OPTIONS: offline(),
  ...more,
});
const ensure = (more?: NodeJS.ProcessEnv) =>
  run(process.execPath, [path.join(checkout, "toolchain/main.js"), "--environment"], {
    env: environment(more),
  });
const starting = (more?: NodeJS.ProcessEnv) =>
  start(process.execPath, [path.join(checkout, "toolchain/main.js"), "--environment"], {
    env: environment(more),
  });

/** A pulumi on PATH that counts how often it is asked for its version. */
function cliOnPath(dir: string, version: string, { languageHost = true } = {}): void {
  script(path.join(dir, "pulumi"), `echo asked >>"${checkout}/asked"; echo v${version}`);
  if (languageHost) script(path.join(dir, "pulumi-language-nodejs"), "exit 0");
}
const asked = () => fs.readFileSync(path.join(checkout, "asked"), "utf8").split("\n").length - 1;

/** A go that "builds" a pulumi after a while. */
function goOnPath(body: string): void {
  script(
    path.join(bin, "go"),
    `PATH=/usr/bin:/bin; if [ "$1" = version ]; then echo "go version go1.26.8 linux/amd64"; exit; fi
echo building >>"${checkout}/builds"; while [ "$1" != -o ]; do shift; done; out=$2; ${body}`,
  );
}
const makePulumi = `mkdir -p "\${out%/*}"; printf '#!/bin/sh\\necho v${pinned}\\n' >"$out"; chmod +x "$out"`;

describe("the Pulumi CLI on PATH", () => {
  test.each(["3.250.0", "3.259.0", "3.260.1", "4.0.0"])("%s is used unchanged", async (version) => {
    cliOnPath(bin, version);
    const { code, stdout, stderr } = await ensure();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`export PATH='${bin}'`);
    expect(stdout).toContain("export PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL='true'");
  });

  test.each(["3.249.9", "3.250.0-alpha.1", "2.300.0", "dirty"])(
    "%s is refused, naming what is needed",
    async (version) => {
      cliOnPath(bin, version);
      const { code, stderr } = await ensure({ HEARTH_PULUMI_SOURCE: "path" });
      expect(code).toBe(1);
      expect(stderr).toContain(`${bin}/pulumi is version v${version}; 3.250.0 or newer is needed`);
    },
  );

  test("is refused without the Node language host, which Pulumi would report only later", async () => {
    cliOnPath(bin, "3.259.0", { languageHost: false });
    const { code, stderr } = await ensure({ HEARTH_PULUMI_SOURCE: "path" });
    expect(code).toBe(1);
    expect(stderr).toContain(`${bin}/pulumi has no pulumi-language-nodejs`);
  });

  test("is found after one that is too old", async () => {
    const newer = path.join(checkout, "newer");
    cliOnPath(bin, "3.100.0");
    cliOnPath(newer, "3.260.0");
    const { stdout } = await ensure({ PATH: `${bin}:${newer}` });
    expect(stdout).toContain(`export PATH='${newer}:${bin}'`);
  });

  test("is never our own wrapper, which would start itself endlessly", async () => {
    const { code, stderr } = await ensure({
      PATH: `${checkout}/toolchain:${bin}`,
      HEARTH_PULUMI_SOURCE: "path",
    });
    expect(code).toBe(1);
    expect(stderr).toContain("on PATH: no program named pulumi");
  });

  test("is asked for its version once, and again after its replacement", async () => {
    cliOnPath(bin, "3.259.0");
    await ensure();
    await ensure();
    expect(asked()).toBe(1);
    cliOnPath(bin, "3.100.00");
    expect((await ensure({ HEARTH_PULUMI_SOURCE: "path" })).code).toBe(1);
    expect(asked()).toBe(2);
  });
});

describe("our own Pulumi CLI", () => {
  test("is built once if there is no other source, and then only used", async () => {
    goOnPath(makePulumi);
    const first = await ensure();
    expect(first).toMatchObject({ code: 0 });
    expect(first.stderr).toMatch(/^Building Pulumi 3\.259\.0.*\.\.\.\n.*done in \d+ s\n$/);
    expect(first.stdout).toContain(`export PATH='${cache}/pulumi/${pinned}/bin:${bin}'`);
    expect(first.stdout).toContain("export PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL='true'");
    const second = await ensure();
    expect(second).toMatchObject({ code: 0, stderr: "", stdout: first.stdout });
    expect(fs.readFileSync(path.join(checkout, "builds"), "utf8")).toBe("building\n");
  });

  test("gets our language host, and a new one after a change", async () => {
    goOnPath(makePulumi);
    await ensure();
    const host = path.join(cache, "pulumi", pinned, "bin/pulumi-language-nodejs");
    const before = fs.readFileSync(host, "utf8");
    fs.appendFileSync(path.join(checkout, "toolchain/language-host.js"), "\n// another revision\n");
    await ensure();
    expect(fs.readFileSync(host, "utf8").slice(0, 200)).not.toBe(before.slice(0, 200));
    expect(fs.statSync(host).mode & 0o111).toBe(0o111);
  });

  test("keeps the vendor's language host if the release contains one", async () => {
    const home = path.join(cache, "pulumi", pinned, "bin");
    cliOnPath(home, pinned);
    const before = fs.readFileSync(path.join(home, "pulumi-language-nodejs"), "utf8");
    const { code } = await ensure();
    expect(code).toBe(0);
    expect(fs.readFileSync(path.join(home, "pulumi-language-nodejs"), "utf8")).toBe(before);
  });

  test("is built once when two commands start at the same time", async () => {
    goOnPath(`sleep 3; ${makePulumi}`);
    const both = await Promise.all([ensure(), ensure()]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(both.map(({ stderr }) => stderr).join("")).toContain("waiting for it");
    expect(fs.readFileSync(path.join(checkout, "builds"), "utf8")).toBe("building\n");
  });

  test.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)(
    "an interrupted build (%s) leaves nothing that looks finished, and the next run goes on",
    async (signal) => {
      goOnPath(`mkdir -p "\${out%/*}"; echo half >"$out"; echo started >&2; sleep 61.7; exit 1`);
      const running = starting();
      await eventually(() => (fs.existsSync(path.join(checkout, "builds")) ? [] : ["no build yet"]), 60);
      running.child.kill(signal);
      const end = await running.ended;
      expect(end.signal ?? end.code).toBe(signal === "SIGKILL" ? signal : signal === "SIGINT" ? 130 : 143);
      if (signal !== "SIGKILL") await eventually(() => processesIn(checkout), 30);
      else for (const line of processesIn(checkout)) process.kill(Number(line.split(" ")[0]));
      expect(fs.existsSync(path.join(cache, "pulumi", pinned))).toBe(false);
      goOnPath(makePulumi);
      expect(await ensure()).toMatchObject({ code: 0 });
    },
  );

  test("a failed build shows the compiler's last lines", async () => {
    goOnPath("echo 'no space left on device' >&2; exit 1");
    const { code, stderr } = await ensure({ HEARTH_PULUMI_SOURCE: "build" });
    expect(code).toBe(1);
    expect(stderr).toContain("no space left on device");
  });
});

describe("without a source for a Pulumi CLI", () => {
  test("there is one message with the attempts and the packages to install", async () => {
    const { code, stdout, stderr } = await ensure();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr.split("\n")).toEqual([
      "There is no usable Pulumi CLI, and none can be fetched or built here.",
      "  on PATH: no program named pulumi",
      "  fetch: get.pulumi.com cannot be reached (ENOTFOUND)",
      "  build: no program named go on PATH",
      "fix: do one of these, then run the same command again:",
      expect.stringContaining("install Pulumi 3.250.0 or newer: https://"),
      expect.stringContaining("get.pulumi.com"),
      expect.stringContaining("install Go "),
      "",
    ]);
  });

  test("a source that does not exist is refused by name", async () => {
    const { code, stderr } = await ensure({ HEARTH_PULUMI_SOURCE: "magic" });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "HEARTH_PULUMI_SOURCE=magic: allowed are path, fetch, build; default: all of them\n",
    });
  });
});

describe("the passphrase", () => {
  beforeEach(() => cliOnPath(bin, "3.259.0"));
  const file = () => path.join(checkout, ".hearth/passphrase");

  test("is created once, readable only by its owner", async () => {
    expect((await ensure()).stdout).toContain(`export PULUMI_CONFIG_PASSPHRASE_FILE='${file()}'`);
    const made = fs.readFileSync(file(), "utf8");
    expect(made.length).toBeGreaterThan(30);
    expect(fs.statSync(file()).mode & 0o777).toBe(0o600);
    await ensure();
    expect(fs.readFileSync(file(), "utf8")).toBe(made);
  });

  test("and the state next to it are in a folder that only the owner may enter, also if it was open before", async () => {
    fs.mkdirSync(path.dirname(file()), { recursive: true, mode: 0o755 });
    fs.chmodSync(path.dirname(file()), 0o755);
    await ensure();
    expect(fs.statSync(path.dirname(file())).mode & 0o777).toBe(0o700);
  });

  test.each([
    { PULUMI_CONFIG_PASSPHRASE: "" },
    { PULUMI_CONFIG_PASSPHRASE: "mine" },
    { PULUMI_CONFIG_PASSPHRASE_FILE: "/mine" },
  ])("of the user stays unchanged: %j", async (own) => {
    expect((await ensure(own)).stdout).not.toContain("PASSPHRASE");
    expect(fs.existsSync(file())).toBe(false);
  });
});

test("with nothing to do it prints nothing and takes less than 0.3 s", async () => {
  cliOnPath(bin, "3.259.0");
  await ensure();
  const [runs, bare]: [Ended[], Ended[]] = [[], []];
  // The fastest run counts: other tests share the machine. On a slow machine Node alone takes that long.
  for (let i = 0; i < 5; i++) {
    runs.push(await ensure());
    bare.push(await run(process.execPath, ["-e", ""]));
  }
  const quickest = (all: Ended[]) => Math.min(...all.map(({ seconds }) => seconds));
  expect(runs.map(({ stderr }) => stderr).join("")).toBe("");
  expect(quickest(runs)).toBeLessThan(Math.max(0.3, 2 * quickest(bare) + 0.1));
});
