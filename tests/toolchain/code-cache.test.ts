import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let checkout: string;
const build = () => join(checkout, ".hearth/build");

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), "hearth-code-"));
  mkdirSync(join(checkout, "toolchain"));
  cpSync(join(__dirname, "../../toolchain/code-cache.js"), join(checkout, "toolchain/code-cache.js"));
  writeFileSync(join(checkout, "other.js"), "exports.word = 'one';\n");
  writeFileSync(
    join(checkout, "main.js"),
    `require("./toolchain/code-cache").keepCode("test");
     const { word } = require("./other");
     const say = require("./say");
     import("node:path").then(({ basename }) => say(word, basename(require.resolve("./other")), module.children.length));`,
  );
  writeFileSync(
    join(checkout, "say.js"),
    "module.exports = (...words) => console.log(...words, require.main === process.mainModule, __filename.endsWith('say.js'));",
  );
});
afterEach(() => rmSync(checkout, { recursive: true, force: true }));

function run(): { stdout: string; stderr: string } {
  const { stdout, stderr } = spawnSync(process.execPath, ["main.js"], { cwd: checkout, encoding: "utf8" });
  return { stdout, stderr };
}

const SAID = (word: string) => ({ stdout: `${word} other.js 3 true true\n`, stderr: "" });

it("keeps what was compiled, and modules see what they always see", () => {
  expect([run(), run()]).toEqual([SAID("one"), SAID("one")]);
  expect(readdirSync(build()).length).toBe(1);
});

it("uses what was kept, also where a module sets a flag for V8, as Pulumi's SDK does", () => {
  writeFileSync(
    join(checkout, "main.js"),
    `require("./toolchain/code-cache").keepCode("test", ["--allow-natives-syntax"]);
     require("./other");`,
  );
  writeFileSync(
    join(checkout, "other.js"),
    'require("node:v8").setFlagsFromString("--allow-natives-syntax"); require("./say");\n',
  );
  run();
  const files = readdirSync(build(), { recursive: true, encoding: "utf8" }).map((name) =>
    join(build(), name),
  );
  const written = () => files.map((file) => statSync(file).ino);
  const first = written();
  run();
  expect(written()).toEqual(first);
});

it("compiles a text again that has changed, of the same length too", () => {
  run();
  writeFileSync(join(checkout, "other.js"), "exports.word = 'two';\n");
  expect([run(), run()]).toEqual([SAID("two"), SAID("two")]);
});

it("takes a file that is damaged for none", () => {
  run();
  for (const name of readdirSync(build(), { recursive: true, encoding: "utf8" })) {
    if (/\./.test(name)) writeFileSync(join(build(), name), "damaged");
  }
  expect([run(), run()]).toEqual([SAID("one"), SAID("one")]);
});

it("leaves a fault of syntax to Node, which names the line", () => {
  writeFileSync(join(checkout, "other.js"), "exports.word = ;\n");
  expect(run().stderr).toMatch(/other\.js:1[\s\S]*SyntaxError/);
});
