// Bundles a program with all its imports into one JavaScript file: half the start-up time of loading files and packages one by
// one. For the processes of every preview: the Pulumi program, and the resource provider, which the engine starts twice.
const fs = require("node:fs");
const path = require("node:path");

const root = path.dirname(__dirname);

/**
 * The path of the program's bundle, rebuilt if one of its source files (by time or size) or the packages have changed.
 * Its first line lists those files, so that program and list change together, by one rename, for any number of readers.
 * @param {string} entry absolute path of its first module
 * @param {{external?: string[], sourcemap?: boolean}} options modules that stay outside; whether to map lines back to the sources
 */
function bundle(entry, options = {}) {
  const name = path.relative(root, entry).replaceAll(path.sep, "-").replace(/\.ts$/, ".js");
  const file = path.join(root, ".hearth", "build", name);
  if (!fresh(entry, file)) make(entry, file, options);
  return file;
}

function fresh(entry, file) {
  const listed = firstLine(file);
  if (!listed) return false;
  const inputs = JSON.parse(listed.slice(2));
  // In a copied checkout the list names the files of the original checkout.
  return (
    inputs.some(([input]) => input === entry) && inputs.every(([input, state]) => stateOf(input) === state)
  );
}

/** Time and size of a file; undefined if it is gone. */
function stateOf(file) {
  const found = fs.statSync(file, { throwIfNoEntry: false });
  return found && `${found.mtimeMs} ${found.size}`;
}

function make(entry, file, { external, sourcemap }) {
  const started = Date.now();
  const { metafile, outputFiles } = require("esbuild").buildSync({
    entryPoints: [entry],
    bundle: true,
    platform: "node",
    target: "node20",
    absWorkingDir: root,
    outfile: file,
    external,
    sourcemap,
    sourcesContent: false,
    metafile: true,
    write: false,
    logLevel: "error",
  });
  const inputs = Object.keys(metafile.inputs)
    .map((input) => path.resolve(root, input))
    // Packages change only with the lock file, and are too many to check one by one.
    .filter((input) => !input.includes(`${path.sep}node_modules${path.sep}`))
    .concat(path.join(root, "package-lock.json"), __filename);
  // The bundle may contain the old text of a file that was saved during compilation; without a state it is never fresh.
  const listed = inputs.map((input) => [
    input,
    fs.statSync(input).mtimeMs < started - 1 ? stateOf(input) : "unsettled",
  ]);
  const first = `//${JSON.stringify(listed)}\n`;
  for (const { path: output, text } of outputFiles) {
    // The map of a line more without a source.
    const shifted = text.replace('"mappings": "', '"mappings": ";');
    write(output, output === file ? first + text : shifted);
  }
}

/** By rename: other processes may be reading or writing the same file. */
function write(file, text) {
  const temporary = `${file}.${process.pid}`;
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  fs.writeFileSync(temporary, text);
  fs.renameSync(temporary, file);
}

function firstLine(file) {
  let descriptor;
  try {
    descriptor = fs.openSync(file);
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
  const buffer = Buffer.alloc(256 * 1024);
  const text = buffer.toString("utf8", 0, fs.readSync(descriptor, buffer, 0, buffer.length, 0));
  fs.closeSync(descriptor);
  return text.slice(0, text.indexOf("\n"));
}

module.exports = { bundle };
