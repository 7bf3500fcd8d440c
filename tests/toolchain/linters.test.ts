import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const { checkedFiles } = require("../../toolchain/linters");

const ROOT = join(__dirname, "../..");
const tracked = execFileSync("git", ["ls-files"], { cwd: ROOT, encoding: "utf8" })
  .split("\n")
  .filter((file) => file !== "" && existsSync(join(ROOT, file)));

/** The first line of a script, or nothing. */
const interpreter = (file: string) => /^#!.*/.exec(readFileSync(join(ROOT, file), "latin1"))?.[0] ?? "";

it("every shell script is checked, with a file extension or without", () => {
  const { library, others } = checkedFiles();
  const scripts = tracked.filter((file) => file.endsWith(".sh") || /\b(ba|da)?sh\b/.test(interpreter(file)));
  expect(scripts.length).toBeGreaterThan(50);
  expect([...library, ...others].sort()).toEqual(expect.arrayContaining(scripts.sort()));
});

it("every Python program is checked", () => {
  const programs = tracked.filter((file) => file.endsWith(".py") || interpreter(file).includes("python"));
  expect(programs.length).toBeGreaterThan(30);
  expect(checkedFiles().python).toEqual(expect.arrayContaining(programs));
});
