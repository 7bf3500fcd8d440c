import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import {
  type Ended,
  eventually,
  processesIn,
  removeDirectory,
  root,
  run,
  start,
  temporaryCheckout,
} from "./support";

let checkout: string;
beforeEach(() => {
  checkout = temporaryCheckout();
});
afterEach(() => removeDirectory(checkout));

const write = (file: string, text: string) => {
  fs.mkdirSync(path.dirname(path.join(checkout, file)), { recursive: true });
  fs.writeFileSync(path.join(checkout, file), text);
};
const load = (file: string): Promise<Ended> =>
  run(process.execPath, ["-r", "./toolchain/register.js", file], { cwd: checkout });
const kept = () =>
  fs.readdirSync(path.join(checkout, ".hearth/build/modules")).map((name) => {
    const { mtimeMs, ino } = fs.statSync(path.join(checkout, ".hearth/build/modules", name));
    return `${name} ${mtimeMs} ${ino}`;
  });

describe("loading TypeScript", () => {
  beforeEach(() => {
    write("part.ts", "export const value: number = 1;");
    write(
      "main.ts",
      'import { value } from "./part";\nconsole.log(value, __dirname, require.main === module);',
    );
  });

  test("a second start compiles nothing", async () => {
    const first = await load("./main.ts");
    expect(first).toMatchObject({ code: 0, stdout: `1 ${checkout} true\n`, stderr: "" });
    const before = kept();
    expect(before).toHaveLength(2);
    expect(await load("./main.ts")).toMatchObject({ code: 0, stdout: first.stdout });
    expect(kept()).toEqual(before);
  });

  test("a changed file runs with its new text, even at the same size, and only this file is compiled again", async () => {
    await load("./main.ts");
    const before = kept();
    write("part.ts", "export const value: number = 2;");
    expect((await load("./main.ts")).stdout).toMatch(/^2 /);
    expect(kept().filter((entry) => !before.includes(entry))).toHaveLength(1);
  });

  test("several simultaneous starts on a cold cache all work", async () => {
    const ends = await Promise.all(Array.from({ length: 6 }, () => load("./main.ts")));
    expect(ends.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      Array(6).fill({ code: 0, stderr: "" }),
    );
    expect(kept()).toHaveLength(2);
  });

  test("an error names the line of the source", async () => {
    write("part.ts", 'interface Gone { a: string }\n\nexport const value: number = JSON.parse("{");');
    expect((await load("./main.ts")).stderr).toContain(`${checkout}/part.ts:3:`);
  });

  test("the same under an engine, whose language host sets only the configuration variable, and maps lines itself", async () => {
    write("part.ts", 'interface Gone { a: string }\n\nexport const value: number = JSON.parse("{");');
    // Like @pulumi/pulumi/cmd/run before it loads the program.
    write("run.js", 'require("source-map-support/register");\nrequire("./main.ts");');
    const { PULUMI_NODEJS_TYPESCRIPT: _, ...rest } = process.env;
    const env = { ...rest, PULUMI_CONFIG: "{}" };
    const argv = ["-r", "./toolchain/register.js", "./run.js"];
    const { stderr } = await run(process.execPath, argv, { cwd: checkout, env });
    expect(stderr).toContain(`${checkout}/part.ts:3:`);
  });

  test("a syntax error is one line that names its position", async () => {
    write("part.ts", "export const value: = 1;");
    const { code, stderr } = await load("./main.ts");
    expect(code).toBe(1);
    expect(stderr).toContain(`SyntaxError: ${checkout}/part.ts:1:20: Unexpected "="`);
    expect(stderr).not.toContain("esbuild");
  });
});

describe("run.js", () => {
  test("passes the arguments and the exit code on", async () => {
    write("main.ts", "console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7;");
    const end = await run(process.execPath, ["toolchain/run.js", "--no-engine", "main.ts", "a b", "--c"], {
      cwd: checkout,
    });
    expect(end).toMatchObject({ code: 7, stdout: '["a b","--c"]\n', stderr: "" });
  });

  test("leaves signals to the program it runs", async () => {
    write(
      "main.ts",
      'process.on("SIGINT", () => { console.log("tidied up"); process.exit(0); }); console.log("ready"); setInterval(() => {}, 1000);',
    );
    const running = start(process.execPath, ["toolchain/run.js", "--no-engine", "main.ts"], {
      cwd: checkout,
    });
    await running.shows("ready");
    running.child.kill("SIGINT");
    expect(await running.ended).toMatchObject({ code: 0, stdout: "ready\ntidied up\n" });
  });
});

describe("the provider's launcher", () => {
  /** The launcher next to a small program that starts as the engine expects: it listens and prints the port. */
  beforeEach(() => {
    fs.cpSync(path.join(root, "provider/launch.js"), path.join(checkout, "provider/launch.js"));
    fs.cpSync(
      path.join(root, "provider/pulumi-resource-hearth-host"),
      path.join(checkout, "provider/pulumi-resource-hearth-host"),
    );
    write("provider/name.ts", 'export const name: string = "one";');
    write(
      "provider/main.ts",
      `import net from "node:net";
import { name } from "./name";
const server = net.createServer((socket) => socket.end(name + " " + process.env.HEARTH_PROVIDER_DIR));
server.listen(0, "127.0.0.1", () => console.log((server.address() as net.AddressInfo).port));
process.stdin.on("end", () => process.exit(0)).resume();`,
    );
  });

  test("starts the provider from any directory, and the next start runs a changed source", async () => {
    expect(await answer()).toBe(`one ${checkout}/provider`);
    write("provider/name.ts", 'export const name: string = "two";');
    expect(await answer()).toBe(`two ${checkout}/provider`);
    await eventually(() => processesIn(checkout), 60);
  });

  test("several first starts at once, as in a cold preview, all get a port", async () => {
    expect(await Promise.all([answer(), answer(), answer(), answer()])).toEqual(
      Array(4).fill(`one ${checkout}/provider`),
    );
    const built = fs.readdirSync(path.join(checkout, ".hearth/build"));
    // And nothing that was half written.
    expect(built.filter((name) => !name.startsWith("code-"))).toEqual(["provider-main.js"]);
  });

  test("a second start bundles nothing", async () => {
    const bundle = path.join(checkout, ".hearth/build/provider-main.js");
    // A source that was saved just now is checked once more, so wait a moment.
    await new Promise((resolve) => setTimeout(resolve, 20));
    await answer();
    const { ino } = fs.statSync(bundle);
    await answer();
    expect(fs.statSync(bundle).ino).toBe(ino);
  });

  test("an error in the source is reported with its position on stderr, which the engine shows", async () => {
    write("provider/name.ts", "export const name: = 1;");
    const end = await run(path.join(checkout, "provider/pulumi-resource-hearth-host"), []);
    expect(end.code).toBe(1);
    expect(end.stderr).toContain("provider/name.ts:1:19");
  });

  test("Hearth's own provider starts, prints its port and ends when the engine has ended", async () => {
    const running = start(path.join(root, "provider/pulumi-resource-hearth-host"), ["127.0.0.1:1"], {
      cwd: "/",
    });
    await running.shows("\n");
    expect(Number(running.stdout())).toBeGreaterThan(1024);
    running.child.stdin?.end();
    running.child.kill("SIGINT");
    expect(await running.ended).toMatchObject({ code: 0, signal: null, stderr: "" });
  });

  async function answer(): Promise<string> {
    const running = start(path.join(checkout, "provider/pulumi-resource-hearth-host"), ["127.0.0.1:1"], {
      cwd: "/",
    });
    await running.shows("\n");
    let text = "";
    const socket = net.connect(Number(running.stdout()), "127.0.0.1");
    for await (const chunk of socket) text += chunk;
    running.child.stdin?.end();
    const end = await running.ended;
    expect(end).toMatchObject({ code: 0, stderr: "" });
    return text;
  }
});
