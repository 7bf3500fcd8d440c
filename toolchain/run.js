#!/usr/bin/env node

// `node toolchain/run.js file.ts arguments...`: prepares the toolchain, then runs the TypeScript program in this process,
// with `pulumi` first on its PATH. `--no-engine` before the file skips the engine, for programs that never start it.
const fs = require("node:fs");
const path = require("node:path");
const { runMain } = require("node:module");
const { ensure, entry, root } = require("./ensure");
const { ToolchainError } = require("./process");

entry(async (release) => {
  const args = process.argv.slice(2);
  const engine = args[0] !== "--no-engine";
  if (!engine) args.shift();
  const [file, ...rest] = args;
  if (!file || !fs.existsSync(path.resolve(root, file))) {
    throw new ToolchainError(
      `${file ?? "no program"}: not a file of this checkout\n  fix: node toolchain/run.js [--no-engine] file.ts arguments...`,
    );
  }
  Object.assign(process.env, await ensure({ engine }));
  release();
  require("./register");
  process.argv = [process.argv[0], path.resolve(root, file), ...rest];
  runMain();
});
