import fs from "node:fs";
import path from "node:path";
import { removeDirectory, run, temporaryCheckout } from "./support";

let checkout: string;

/** A checkout with one small local package instead of the project's, so that `npm ci` is real and needs no network. */
beforeEach(async () => {
  checkout = temporaryCheckout();
  fs.rmSync(path.join(checkout, "node_modules"));
  write("small/package.json", { name: "small", version: "1.0.0" });
  fs.rmSync(path.join(checkout, "package-lock.json"));
  await pack("1.0.0");
});
afterEach(() => removeDirectory(checkout));

const write = (file: string, content: object) => {
  fs.mkdirSync(path.dirname(path.join(checkout, file)), { recursive: true });
  fs.writeFileSync(path.join(checkout, file), JSON.stringify(content));
};
const npm = async (...args: string[]) => {
  const end = await run("npm", [...args, "--offline", "--no-audit", "--no-fund"], { cwd: checkout });
  expect(end).toMatchObject({ code: 0 });
};
async function pack(version: string): Promise<void> {
  write("small/package.json", { name: "small", version });
  await npm("pack", "./small");
  ask(version);
  await npm("install", "--package-lock-only");
}
const ask = (version: string) =>
  write("package.json", {
    name: "checkout",
    version: "1.0.0",
    dependencies: { small: `file:small-${version}.tgz` },
  });
const ensure = () => run(process.execPath, [path.join(checkout, "toolchain/main.js"), "--no-engine"]);
const present = () =>
  JSON.parse(fs.readFileSync(path.join(checkout, "node_modules/small/package.json"), "utf8")).version;

test("a fresh clone gets its packages, with progress, and the next run is silent", async () => {
  const first = await ensure();
  expect(first).toMatchObject({ code: 0, stdout: "" });
  expect(first.stderr).toMatch(
    /^Installing Node packages \.\.\.\nInstalling Node packages: done in \d+ s\n$/,
  );
  expect(present()).toBe("1.0.0");
  expect(await ensure()).toMatchObject({ code: 0, stdout: "", stderr: "" });
});

test("a changed lock file, for example after a pull, is installed", async () => {
  await ensure();
  await pack("1.1.0");
  expect((await ensure()).stderr).toContain("Installing Node packages");
  expect(present()).toBe("1.1.0");
});

test("packages that the user's own npm installed stay unchanged", async () => {
  await npm("install");
  const { ino } = fs.statSync(path.join(checkout, "node_modules/small"));
  expect(await ensure()).toMatchObject({ code: 0, stderr: "" });
  expect(fs.statSync(path.join(checkout, "node_modules/small")).ino).toBe(ino);
});

test("an interrupted installation is repeated", async () => {
  await ensure();
  for (const file of [".hearth-stamp", ".package-lock.json"])
    fs.rmSync(path.join(checkout, "node_modules", file));
  fs.rmSync(path.join(checkout, "node_modules/small"), { recursive: true });
  expect((await ensure()).code).toBe(0);
  expect(present()).toBe("1.0.0");
});

test("when npm fails, its last lines give the reason", async () => {
  ask("2.0.0");
  const { code, stderr } = await ensure();
  expect(code).toBe(1);
  expect(stderr).toMatch(/npm ci .*: exit code \d+/);
  expect(stderr).toContain("npm error");
  expect(stderr).toContain("small-2.0.0.tgz");
  expect(stderr).not.toContain("    at ");
});
