#!/usr/bin/env node

// `npm run check`: everything that needs no engine and no host. The parts run at the same time, because one alone uses one core
// for half of its time, and all of them run even if one fails. The tests' output is shown as it comes, that of another part when
// it ends.
const { spawn } = require("node:child_process");
const path = require("node:path");
const { ensure, entry, root } = require("./ensure");

const bin = (name) => path.join(root, "node_modules", ".bin", name);
const node = (...args) => [process.execPath, ...args];

// A test that runs the program loads it again each time: with V8's default of 16 MiB for young objects, a sixth of the time was
// spent on collecting them.
const YOUNG = "--max-semi-space-size=64";

const colors = process.stdout.isTTY ? ["--colors"] : [];
const TESTS = "unit tests";

/** The tests have a lane of their own; the parts of the other one run one after another, longest first. */
const LANES = [
  [[TESTS, node(YOUNG, "node_modules/jest/bin/jest.js", "--selectProjects", "unit", ...colors)]],
  [
    ["types", [bin("tsc"), "--noEmit"]],
    ["shell and Python", node("toolchain/linters.js")],
    ["format and lint", [bin("biome"), "check", "--error-on-warnings", "."]],
    ["generated reference", node("toolchain/run.js", "--no-engine", "config-schemas/generate.ts", "--check")],
  ],
];

const running = new Set();

/** Runs one part; resolves to a list with its name if it failed. */
function part([name, [command, ...args]]) {
  const started = Date.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    const output = [];
    const show = (chunk) => (name === TESTS ? process.stdout.write(chunk) : output.push(chunk));
    for (const stream of [child.stdout, child.stderr]) stream.on("data", show);
    child.on("error", reject);
    child.on("close", (code) => {
      running.delete(child);
      const failed = code !== 0;
      process.stdout.write(Buffer.concat(output));
      const seconds = Math.round((Date.now() - started) / 1000);
      process.stdout.write(`${name}: ${failed ? "failed after" : "done in"} ${seconds} s\n`);
      resolve(failed ? [name] : []);
    });
  });
}

async function lane(parts) {
  const failed = [];
  for (const one of parts) failed.push(...(await part(one)));
  return failed;
}

entry(async (release) => {
  await ensure({ engine: false });
  release();
  for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
    process.on(signal, () => {
      for (const child of running) child.kill(signal);
      process.exit(128 + number);
    });
  }
  const failed = (await Promise.all(LANES.map(lane))).flat();
  if (failed.length === 0) return;
  process.stdout.write(`failed: ${failed.join(", ")}\n`);
  process.exitCode = 1;
});
