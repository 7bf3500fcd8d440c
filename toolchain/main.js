#!/usr/bin/env node

// `node toolchain/main.js` prepares the toolchain; `--no-engine` stops after the Node packages. `--environment` also
// prints the variables to set, as sh text, for the wrapper `toolchain/pulumi`.
const { ensure, entry } = require("./ensure");

const quoted = (value) => `'${value.replaceAll("'", "'\\''")}'`;

entry(async () => {
  const variables = await ensure({ engine: !process.argv.includes("--no-engine") });
  if (!process.argv.includes("--environment")) return;
  for (const [name, value] of Object.entries(variables))
    process.stdout.write(`export ${name}=${quoted(value)}\n`);
});
