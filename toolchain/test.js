#!/usr/bin/env node

// `npm test`: every tier. The first tier needs no hosts; images for the other tiers are fetched and built while it runs.
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { ensure, entry, root } = require("./ensure");

const WARM_UP = path.join(root, ".hearth", "warm-up.log");

/** Builds images and programs in the background, with the CPU time that the unit tier leaves. Its output goes to a file. */
function startWarmUp() {
  fs.mkdirSync(path.dirname(WARM_UP), { recursive: true });
  const log = fs.openSync(WARM_UP, "w");
  const argv = ["-n", "10", process.execPath, "toolchain/run.js", "tests/support/warm-up.ts"];
  const child = spawn("nice", argv, { cwd: root, stdio: ["ignore", log, log], detached: true });
  child.on("error", () => undefined);
  child.unref();
  return child;
}

/** Runs one part with the streams of this terminal; resolves to its exit code. */
function part(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

entry(async (release) => {
  await ensure({ engine: false });
  release();
  const warmUp = startWarmUp();
  for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
    process.on(signal, () => {
      stop(warmUp);
      process.exit(128 + number);
    });
  }
  try {
    process.exitCode =
      (await part("npm", ["run", "--silent", "check"])) ||
      (await part(process.execPath, [
        "node_modules/jest/bin/jest.js",
        "--selectProjects",
        "provider",
        "e2e",
      ]));
  } finally {
    // It is no longer needed: either a part failed, or everything that it prepares has been used.
    stop(warmUp);
  }
});

/** Ends its processes that still run. */
function stop({ pid, exitCode }) {
  if (pid === undefined || exitCode !== null) return;
  try {
    process.kill(-pid, "SIGTERM");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
