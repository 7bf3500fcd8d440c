import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { eventually, processesIn, removeDirectory, root, run, start } from "./support";

// A small Pulumi project under the real engine and the language host that the toolchain installed, with its own state. It starts
// from a bundle like Hearth itself, so it has a copy of toolchain/ next to its program, and a link to the packages.
let project: string;

beforeAll(async () => {
  project = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "hearth-program-")));
  fs.symlinkSync(path.join(root, "node_modules"), path.join(project, "node_modules"));
  for (const name of ["toolchain", "program"])
    fs.cpSync(path.join(root, name), path.join(project, name), { recursive: true });
  fs.copyFileSync(path.join(root, "package-lock.json"), path.join(project, "package-lock.json"));
  const settings = fs.readFileSync(path.join(root, "Pulumi.yaml"), "utf8");
  fs.writeFileSync(path.join(project, "Pulumi.yaml"), settings.slice(0, settings.indexOf("plugins:")));
  fs.writeFileSync(path.join(project, "package.json"), JSON.stringify({ name: "program", main: "index.ts" }));
  program("export const nothing = 0;");
  expect(await pulumi("stack", "init", "dev")).toMatchObject({ code: 0 });
});
afterAll(() => removeDirectory(project));

const program = (text: string) => fs.writeFileSync(path.join(project, "index.ts"), text);
const wrapper = path.join(root, "toolchain/pulumi");
const environment = {
  ...process.env,
  PULUMI_CONFIG_PASSPHRASE: undefined,
  PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
};
const pulumi = (...args: string[]) => run(wrapper, args, { cwd: project, env: environment });

test("up runs the program with its stack, and the next up runs a changed file", async () => {
  program(
    `import * as pulumi from "@pulumi/pulumi";
export const where: string = [pulumi.getProject(), pulumi.getStack(), process.cwd()].join(" ");`,
  );
  expect(await pulumi("up", "--yes", "--skip-preview")).toMatchObject({ code: 0 });
  const outputs = async () => JSON.parse((await pulumi("stack", "output", "--json")).stdout);
  expect(await outputs()).toEqual({ where: `hearth dev ${project}` });
  program("export const now: number = 2;");
  expect(await pulumi("up", "--yes")).toMatchObject({ code: 0 });
  expect(await outputs()).toEqual({ now: 2 });
});

test("the state is in the project and nothing asks for a login or a passphrase, also in a folder below it", async () => {
  const below = path.join(project, "below");
  fs.mkdirSync(below, { recursive: true });
  const end = await run(wrapper, ["preview"], { cwd: below, env: environment });
  expect(end).toMatchObject({ code: 0 });
  expect(fs.readdirSync(below)).toEqual([]);
  expect(fs.existsSync(path.join(project, ".hearth/state/.pulumi/stacks/hearth/dev.json"))).toBe(true);
});

test("an engine that would create a second state is refused in every folder, and nothing runs", async () => {
  const below = path.join(project, "below");
  program('console.log("the program ran");');
  fs.mkdirSync(below, { recursive: true });
  // The CLI itself, without the wrapper that changes to the project first.
  const { stdout: exports } = await run(process.execPath, [
    path.join(root, "toolchain/main.js"),
    "--environment",
  ]);
  const PATH = /export PATH='([^']*)'/.exec(exports)?.[1];
  const plain = { ...environment, PATH, PULUMI_CONFIG_PASSPHRASE: "x" };
  const init = await run("pulumi", ["stack", "init", "second", "--non-interactive"], {
    cwd: below,
    env: plain,
  });
  expect(init).toMatchObject({ code: 0 });
  const { code, stdout } = await run("pulumi", ["preview", "-s", "second"], { cwd: below, env: plain });
  expect(code).not.toBe(0);
  expect(stdout).toContain(
    `the state would be kept in ${below}/.hearth/state, not in ${project}/.hearth/state`,
  );
  expect(stdout).toContain(`start it in ${project}`);
  expect(stdout).not.toMatch(/the program ran|one-state\.js/);
  fs.rmSync(below, { recursive: true });
});

test("the removal of a stack keeps its file: it belongs to the operator", async () => {
  expect(await pulumi("stack", "init", "gone")).toMatchObject({ code: 0 });
  const file = path.join(project, "Pulumi.gone.yaml");
  fs.appendFileSync(file, "config:\n  hearth:kept: yes\n");
  expect(await pulumi("stack", "rm", "--yes", "gone")).toMatchObject({ code: 0 });
  expect(fs.readFileSync(file, "utf8")).toContain("hearth:kept");
  await pulumi("stack", "select", "dev");
});

test("pulumi install has nothing to do", async () => {
  expect(await pulumi("install")).toMatchObject({ code: 0 });
});

test("configuration reaches the program, and secret values are marked as secret", async () => {
  await pulumi("config", "set", "plain", "p$x 'y'");
  await pulumi("config", "set", "--secret", "hidden", "planted-secret");
  program(
    `import * as pulumi from "@pulumi/pulumi";
const config = new pulumi.Config();
export const plain = config.require("plain");
export const hidden = config.requireSecret("hidden");`,
  );
  const end = await pulumi("up", "--yes", "--skip-preview");
  expect(end).toMatchObject({ code: 0 });
  expect(end.stdout).toContain("[secret]");
  expect(end.stdout + end.stderr).not.toContain("planted-secret");
  const { stdout } = await pulumi("stack", "output", "--json", "--show-secrets");
  expect(JSON.parse(stdout)).toEqual({ plain: "p$x 'y'", hidden: "planted-secret" });
});

test("modules that are loaded only when needed work: a function can still be serialized", async () => {
  program(
    `import * as pulumi from "@pulumi/pulumi";
const three = 3;
export const serialized = pulumi.runtime.serializeFunction(() => three + 1).then(({ text }) => text.includes("three + 1"));`,
  );
  expect(await pulumi("up", "--yes", "--skip-preview")).toMatchObject({ code: 0 });
  expect(JSON.parse((await pulumi("stack", "output", "--json")).stdout)).toEqual({ serialized: true });
});

test("a program under tracing runs from its modules, not from the bundle", async () => {
  program(
    'console.log(process.argv[1], require.main?.filename.includes("cmd/run")); export const nothing = 0;',
  );
  const traced = { ...environment, TRACEPARENT: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
  const { code, stdout } = await run(wrapper, ["preview"], { cwd: project, env: traced });
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/cmd\/run.* true/) });
  expect((await pulumi("preview")).stdout).toMatch(/cmd\/run.* false/);
});

test("an error in the program fails the preview once, at the line of the source", async () => {
  program(
    'interface Gone { a: string }\n\nfunction fail(): never {\n  throw new Error("broken here");\n}\nfail();',
  );
  const { code, stdout } = await pulumi("preview");
  expect(code).not.toBe(0);
  expect(stdout.match(/Error: broken here/g)).toHaveLength(1);
  // There are colour codes between the parts.
  expect(stdout).toMatch(/at fail .*index\.ts:4:9/);
  expect(stdout).not.toContain("exited with code");
});

test("a program that ends without a message is reported with its exit code", async () => {
  program("process.exit(3);");
  const { code, stdout } = await pulumi("preview");
  expect(code).not.toBe(0);
  expect(stdout).toMatch(/exit(ed with)? (code|status).* 3/i);
});

test("the output of the program is shown", async () => {
  program('console.log("printed by the program");');
  expect((await pulumi("preview")).stdout).toContain("printed by the program");
});

describe("an interrupted preview leaves no process behind", () => {
  const waiting = () => {
    program('console.log("program is up"); export const never = new Promise((r) => setTimeout(r, 600_000));');
    return start(wrapper, ["preview"], { cwd: project, env: environment });
  };

  test.each([
    ["SIGINT", 1],
    ["SIGTERM", 1],
    ["SIGKILL", null],
  ] as const)("%s", async (signal, code) => {
    const running = waiting();
    await running.shows("program is up");
    expect(processesIn(project).length).toBeGreaterThan(1);
    running.child.kill(signal);
    const end = await running.ended;
    expect(end.code).toBe(code);
    await eventually(() => processesIn(project), 60);
  });
});
