// Keeps what V8 compiles of the modules of a process, for its next start: a third of the time until the Pulumi program runs is
// spent on compiling the SDK again. Node 22 has this built in; on Node 20 one file for each kind of process does it.
const crypto = require("node:crypto");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const v8 = require("node:v8");
const vm = require("node:vm");

const folder = path.join(path.dirname(__dirname), ".hearth", "build");

/**
 * @param {string} name what kind of process this is; each loads other modules
 * @param {string[]} flags those that a module of the process sets for V8 while it is loaded. V8 accepts kept code only under the
 *   flags that it was made with, so they are set before the first module is compiled.
 */
function keepCode(name, flags = []) {
  for (const flag of flags) v8.setFlagsFromString(flag);
  if (Module.enableCompileCache !== undefined) {
    Module.enableCompileCache(path.join(folder, "code"));
    return;
  }
  const file = path.join(folder, `code-${name}-${process.version}.bin`);
  const kept = read(file);
  const used = new Map();
  const fresh = new Map();
  const compile = Module.prototype._compile;
  Module.prototype._compile = function (content, filename) {
    const digest = crypto.createHash("sha1").update(content).digest("base64");
    const cached = kept.get(filename);
    const known = cached?.digest === digest ? cached.data : undefined;
    let script;
    try {
      script = new vm.Script(Module.wrap(content), {
        filename,
        cachedData: known,
        importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      });
    } catch {
      // Node's own way tells more about a fault of syntax.
      return compile.call(this, content, filename);
    }
    if (known === undefined || script.cachedDataRejected) fresh.set(filename, { digest, script });
    else used.set(filename, cached);
    const run = script.runInThisContext();
    return run.call(this.exports, this.exports, requireOf(this), this, filename, path.dirname(filename));
  };
  process.on("exit", () => {
    if (fresh.size > 0) write(file, used, fresh);
  });
}

/** `require` as a module sees it. */
function requireOf(module) {
  const load = (request) => module.require(request);
  load.resolve = (request, options) => Module._resolveFilename(request, module, false, options);
  load.resolve.paths = (request) => Module._resolveLookupPaths(request, module);
  return Object.assign(load, {
    main: process.mainModule,
    extensions: Module._extensions,
    cache: Module._cache,
  });
}

/** Module to digest of its text and compiled code; whatever is wrong with the file, it is only a cache. */
function read(file) {
  try {
    return v8.deserialize(fs.readFileSync(file));
  } catch {
    return new Map();
  }
}

/**
 * Modules that this process did not load are dropped: they are of an earlier version.
 * Writes by rename: other processes may be reading or writing the same file. A read-only checkout just compiles again.
 */
function write(file, used, fresh) {
  const all = new Map(used);
  for (const [filename, { digest, script }] of fresh)
    all.set(filename, { digest, data: script.createCachedData() });
  const temporary = `${file}.${process.pid}`;
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    fs.writeFileSync(temporary, v8.serialize(all));
    fs.renameSync(temporary, file);
  } catch {
    fs.rmSync(temporary, { force: true });
  }
}

module.exports = { keepCode };
