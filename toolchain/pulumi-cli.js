// Finds the Pulumi engine: on PATH, else one fetched or built earlier, else fetched now, else built.
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { build } = require("./pulumi-build");
const { fetchRelease } = require("./pulumi-fetch");
const { installLanguageHost } = require("./language-host-install");
const { ToolchainError, locked, run } = require("./process");
const { atLeast, oldest, pinned } = require("./versions");

const languageHost = "pulumi-language-nodejs";

/** The directory of engines, outside the checkout, so that all checkouts of this user share them. */
function cacheDir() {
  const base = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
  return process.env.HEARTH_CACHE || path.join(base, "hearth");
}

/**
 * The path of a usable Pulumi CLI, fetched or built first if necessary.
 * HEARTH_PULUMI_SOURCE (path, fetch or build) limits it to one source; by default all are tried in that order.
 * @returns {Promise<string>}
 * @throws {ToolchainError} naming the attempts and the packages to install
 */
async function ensurePulumi(root) {
  const only = process.env.HEARTH_PULUMI_SOURCE;
  if (only && !["path", "fetch", "build"].includes(only)) {
    throw new ToolchainError(
      `HEARTH_PULUMI_SOURCE=${only}: allowed are path, fetch, build; default: all of them`,
    );
  }
  const reasons = [];
  if (!only || only === "path") {
    const found = await onPath(root, reasons);
    if (found) return found;
  }
  if (only !== "path") {
    const home = path.join(cacheDir(), "pulumi", pinned);
    const cli = path.join(home, "bin", "pulumi");
    if (!fs.existsSync(cli)) await obtain(home, only, reasons);
    if (fs.existsSync(cli)) {
      installLanguageHost(path.dirname(cli));
      return cli;
    }
  }
  throw new ToolchainError(nothingFound(reasons));
}

async function obtain(home, only, reasons) {
  await locked(`${home}.lock`, async () => {
    if (fs.existsSync(home)) return;
    const staging = `${home}.partial`;
    fs.rmSync(staging, { recursive: true, force: true });
    const got =
      (only !== "build" && (await fetchRelease(staging, reasons))) ||
      (only !== "fetch" && (await build(staging, reasons)));
    // Only a complete directory gets the final name; an interrupted run leaves `.partial`, which the next run deletes.
    if (got) fs.renameSync(staging, home);
  });
}

/** The first CLI on PATH that is new enough and has its Node language host; cached by the file's time and size. */
async function onPath(root, reasons) {
  const memory = path.join(root, ".hearth", "pulumi-on-path.json");
  for (const cli of candidates(root)) {
    const { mtimeMs, size } = fs.statSync(cli);
    const identity = `${fs.realpathSync(cli)} ${mtimeMs} ${size}`;
    const known = readJson(memory);
    const version =
      known?.identity === identity
        ? known.version
        : (await run(cli, ["version"], { timeout: 20000 }).catch(() => "")).trim();
    if (!atLeast(version, oldest)) {
      reasons.push(
        `on PATH: ${cli} is ${version ? `version ${version}` : "not runnable"}; ${oldest} or newer is needed`,
      );
    } else if (!hasLanguageHost(cli)) {
      reasons.push(`on PATH: ${cli} has no ${languageHost} next to it or on PATH`);
    } else {
      if (known?.identity !== identity) writeJson(memory, { identity, version });
      return cli;
    }
  }
  if (reasons.length === 0) reasons.push("on PATH: no program named pulumi");
  return undefined;
}

const pathDirs = () => (process.env.PATH ?? "").split(path.delimiter).filter(path.isAbsolute);

/** Programs named pulumi on PATH, without our own wrappers of that name. */
function candidates(root) {
  const ours = [
    path.join(root, "toolchain"),
    path.join(root, "node_modules", ".bin"),
    path.join(cacheDir(), "pulumi", pinned, "bin"),
  ];
  return pathDirs()
    .filter((dir) => !ours.includes(path.resolve(dir)))
    .map((dir) => path.join(dir, "pulumi"))
    .filter(executable);
}

function hasLanguageHost(cli) {
  return [path.dirname(fs.realpathSync(cli)), ...pathDirs()].some((dir) =>
    executable(path.join(dir, languageHost)),
  );
}

function executable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function writeJson(file, value) {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  fs.writeFileSync(`${file}.${process.pid}`, JSON.stringify(value));
  fs.renameSync(`${file}.${process.pid}`, file);
}

function nothingFound(reasons) {
  return [
    "There is no usable Pulumi CLI, and none can be fetched or built here.",
    ...reasons.map((reason) => `  ${reason}`),
    "fix: do one of these, then run the same command again:",
    `  install Pulumi ${oldest} or newer: https://www.pulumi.com/docs/install/`,
    "  give this machine access to get.pulumi.com, so that it can be fetched",
    "  install Go 1.25 or newer (https://go.dev/dl/), so that it can be built from its Go module",
  ].join("\n");
}

module.exports = { ensurePulumi, cacheDir };
