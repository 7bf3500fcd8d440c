// Loads TypeScript through `require`, with the compiled text cached on disk (`node -r ./toolchain/register.js file.ts`).
//
// A warm start costs a stat and a read per file and loads no compiler. So the command lines start almost as fast as plain
// JavaScript. The Pulumi program and the resource provider, which start more often, are bundled instead: `bundle.js`. Types are
// not checked here; `npm run check` does that.
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { nameLinesOfShownErrors } = require("./stack-traces");

const root = path.dirname(__dirname);
const cacheDir = path.join(root, ".hearth", "build", "modules");
// A new compiler or other options make every cached text stale.
const compiler = `esbuild-${require("esbuild/package.json").version}-node20-2`;

/** The JavaScript text of a TypeScript file; compiled only when the file's time or size differs from the cached text's. */
function compiled(file) {
  const { mtimeMs, size } = fs.statSync(file);
  const stamp = `//${compiler} ${mtimeMs} ${size}\n`;
  const kept = path.join(
    cacheDir,
    `${crypto.createHash("sha256").update(file).digest("hex").slice(0, 32)}.js`,
  );
  try {
    const text = fs.readFileSync(kept, "utf8");
    if (text.startsWith(stamp)) return text.slice(stamp.length);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  const text = compile(file);
  keep(kept, stamp + text);
  return text;
}

function compile(file) {
  const esbuild = require("esbuild");
  try {
    return esbuild.transformSync(fs.readFileSync(file, "utf8"), {
      loader: "ts",
      format: "cjs",
      target: "node20",
      sourcefile: file,
      sourcemap: "inline",
      sourcesContent: false,
      logLevel: "silent",
    }).code;
  } catch (error) {
    if (!error.errors?.[0]) throw error;
    const { text, location } = error.errors[0];
    const fault = new SyntaxError(`${file}:${location?.line}:${location?.column}: ${text}`);
    // The stack trace inside the compiler does not help.
    fault.stack = String(fault);
    throw fault;
  }
}

/** Writes by rename: other processes may be reading or writing the same entry. A read-only checkout just compiles again. */
function keep(file, text) {
  const temporary = `${file}.${process.pid}`;
  try {
    fs.mkdirSync(cacheDir, { recursive: true, mode: 0o700 });
    fs.writeFileSync(temporary, text);
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    if (!["EROFS", "EACCES", "ENOSPC"].includes(error.code)) throw error;
  }
}

require.extensions[".ts"] = (module, file) => module._compile(compiled(file), file);

// Stack traces name the lines of the source. Under an engine (every language host sets PULUMI_CONFIG for its program, and
// some set PULUMI_NODEJS_TYPESCRIPT) Pulumi does that itself, and reads the map from the file.
if (process.env.PULUMI_CONFIG === undefined) process.setSourceMapsEnabled(true);
else {
  const support = require.resolve("source-map-support", { paths: [require.resolve("@pulumi/pulumi")] });
  require(support).install({ retrieveFile: (file) => (file.endsWith(".ts") ? compiled(file) : null) });
  nameLinesOfShownErrors();
}
