#!/usr/bin/env node

// Checks files that are not TypeScript: every shell script with shellcheck, every Python program with ruff. Part of `npm run check`.
const { execFileSync, spawnSync } = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { entry, root } = require("./ensure");
const { ToolchainError, locked, run } = require("./process");
const { step } = require("./progress");
const { cacheDir } = require("./pulumi-cli");

const PINS = path.join(__dirname, "linters.txt");
/** Shell scripts without a file extension. */
const UNNAMED = [".ci/run", "provider/pulumi-resource-hearth-host", "toolchain/pulumi"];
/** The library of the host programs: one program in many files, each of which uses the variables of others. */
const HOST = "provider/machine/programs";

/** The folder with the linters' programs, for all checkouts; the rest of an interrupted installation is replaced. */
async function ensureLinters() {
  const digest = crypto.createHash("sha256").update(fs.readFileSync(PINS)).digest("hex").slice(0, 12);
  const folder = path.join(cacheDir(), `linters-${digest}`);
  const bin = path.join(folder, "bin");
  if (fs.existsSync(folder)) return bin;
  fs.mkdirSync(cacheDir(), { recursive: true });
  await locked(`${folder}.lock`, async () => {
    if (fs.existsSync(folder)) return;
    const half = `${folder}.new`;
    fs.rmSync(half, { recursive: true, force: true });
    await step("Fetching shellcheck and ruff", async () => {
      await makeEnvironment(half);
      const install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "-r",
        PINS,
      ];
      await run(path.join(half, "bin", "python"), install, { env: process.env });
    });
    fs.renameSync(half, folder);
  });
  return bin;
}

/** Debian's Python may lack the module venv. */
async function makeEnvironment(folder) {
  try {
    await run("python3", ["-m", "venv", folder]);
  } catch (error) {
    if (process.getuid?.() !== 0 || !fs.existsSync("/usr/bin/apt-get")) {
      throw new ToolchainError(
        `shellcheck and ruff need Python 3 with its module venv\n  fix: apt-get install python3-venv (Debian)\n${error.message}`,
      );
    }
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    await run("apt-get", ["-q", "update"], { env });
    await run("apt-get", ["-qy", "install", "--no-install-recommends", "python3-venv"], { env });
    fs.rmSync(folder, { recursive: true, force: true });
    await run("/usr/bin/python3", ["-m", "venv", folder]);
  }
}

/** Files of the checkout, those not yet committed too. */
function filesOf(...patterns) {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", ...patterns];
  const listed = execFileSync("git", args, { cwd: root, encoding: "utf8" }).split("\n");
  return listed.filter((file) => file !== "" && fs.existsSync(path.join(root, file)));
}

/** Runs a linter on this terminal; whether it found nothing. */
function clean(program, args, input) {
  const stdio = [input === undefined ? "ignore" : "pipe", "inherit", "inherit"];
  const { error, status } = spawnSync(program, args, { cwd: root, stdio, input });
  if (error) {
    throw new ToolchainError(
      `${path.basename(program)} cannot be started: ${error.message}\n  fix: if it has no wheel, install it with this system's package manager`,
    );
  }
  return status === 0;
}

/** What is checked, each file once. */
function checkedFiles() {
  const library = filesOf(`${HOST}/lib/*.sh`);
  const others = [...filesOf("*.sh").filter((file) => !library.includes(file)), ...UNNAMED];
  return { library, others, python: filesOf("*.py") };
}

/** The files that no other one loads: together they load all, most of them once. */
function notLoaded(library) {
  const texts = library.map((file) => fs.readFileSync(path.join(root, file), "utf8"));
  const loaded = new Set(texts.flatMap((text) => text.match(/(?<=^ *\. "\$DIR\/lib\/)[\w-]+\.sh/gm) ?? []));
  return library.map((file) => path.basename(file)).filter((name) => !loaded.has(name));
}

function checkShell(bin) {
  const own = path.join(bin, "shellcheck");
  const shellcheck = fs.existsSync(own) ? own : "shellcheck";
  const { library, others } = checkedFiles();
  const whole = notLoaded(library).map((name) => `. "$DIR/lib/${name}"\n`);
  // The first call checks the whole library: a file alone would cause complaints about the other files' variables.
  return [
    clean(shellcheck, ["-x", "-a", "-P", HOST, "-"], `#!/bin/sh\nDIR=$1\n${whole.join("")}`),
    clean(shellcheck, ["-x", "-P", HOST, ...others]),
  ].every(Boolean);
}

const checkPython = (bin) => clean(path.join(bin, "ruff"), ["check", "--quiet", ...checkedFiles().python]);

module.exports = { checkedFiles };

if (require.main === module) {
  entry(async () => {
    const bin = await ensureLinters();
    if (![checkShell(bin), checkPython(bin)].every(Boolean)) process.exitCode = 1;
  });
}
