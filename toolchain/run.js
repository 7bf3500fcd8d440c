#!/usr/bin/env node

// `node toolchain/run.js file.ts arguments...`: gets the toolchain ready, then runs the TypeScript program in this process,
// with `pulumi` first on its PATH. `--no-engine` before the file skips the engine, for programs that never start it.
const path = require("node:path");
const { runMain } = require("node:module");
const { ensure, entry, root } = require("./ensure");

entry(async (release) => {
  const args = process.argv.slice(2);
  const engine = args[0] !== "--no-engine";
  if (!engine) args.shift();
  const [file, ...rest] = args;
  Object.assign(process.env, await ensure({ engine }));
  release();
  require("./register");
  process.argv = [process.argv[0], path.resolve(root, file), ...rest];
  runMain();
});
