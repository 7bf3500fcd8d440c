// Puts language-host.js next to an engine without a language host, as one file that needs no node_modules.
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const source = path.join(__dirname, "language-host.js");
/** Second line of our file; a file without it belongs to the vendor and stays unchanged. */
const mark = "// hearth language host ";

/** Writes `pulumi-language-nodejs` into the engine's directory if it is missing or our older version. */
function installLanguageHost(dir) {
  const target = path.join(dir, "pulumi-language-nodejs");
  const text = fs.readFileSync(source, "utf8");
  const header = `#!/usr/bin/env node\n${mark}${crypto.createHash("sha256").update(text).digest("hex")}\n`;
  const present = firstBytes(target, header.length);
  if (present === header || (present && !present.includes(mark))) return;
  const { outputFiles } = require("esbuild").buildSync({
    entryPoints: [source],
    bundle: true,
    platform: "node",
    target: "node20",
    write: false,
    logLevel: "error",
  });
  const temporary = `${target}.${process.pid}`;
  fs.writeFileSync(temporary, header + outputFiles[0].text, { mode: 0o755 });
  fs.renameSync(temporary, target);
}

function firstBytes(file, length) {
  let descriptor;
  try {
    descriptor = fs.openSync(file);
    const buffer = Buffer.alloc(length);
    return buffer.toString("utf8", 0, fs.readSync(descriptor, buffer, 0, length, 0));
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

module.exports = { installLanguageHost };
