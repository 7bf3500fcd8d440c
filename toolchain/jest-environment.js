// The environment of every test file: Node's, without work that jest repeats for each file and that no test can see.
//
// A file gets its own context and evaluates its modules again, as before; what V8 compiled of their texts is kept for the next
// file of the same worker. The SDK alone has 900 modules, and a run of the program loads Hearth's modules again.
const vm = require("node:vm");
const { TestEnvironment } = require("jest-environment-node");

const DEBUGGABLE = /@pulumi\/pulumi\/runtime\/debuggable\.js$/;
const SDK = /@pulumi\/pulumi\//;

/** Module's path and parameters to its text and what was compiled of it. */
const kept = new Map();
const { compileFunction } = vm;

/** `vm.compileFunction` as jest calls it for each module; the line numbers are those of the text. */
vm.compileFunction = (text, parameters, options) => {
  const { filename, parsingContext, importModuleDynamically } = options ?? {};
  if (filename === undefined || parsingContext === undefined)
    return compileFunction(text, parameters, options);
  const key = `${parameters} ${filename}`;
  let known = kept.get(key);
  if (known?.text !== text) {
    let script;
    try {
      const whole = `(function (${parameters}) {\n${text}\n})`;
      script = new vm.Script(whole, { filename, lineOffset: -1, importModuleDynamically });
    } catch {
      // Node's own message says more about a syntax error.
      return compileFunction(text, parameters, options);
    }
    known = { text, script };
    kept.set(key, known);
  }
  return known.script.runInContext(parsingContext);
};

/**
 * Pulumi takes the stack of each promise and each resource and shows none of them. To name the lines of the source in those took
 * a third of the time of a run of the program.
 */
function stackOf(error, frames) {
  const file = error.message === "" ? frames[0]?.getFileName() : undefined;
  if (typeof file !== "string" || !SDK.test(file)) return Error.prepareStackTrace(error, frames);
  return DEBUGGABLE.test(file)
    ? String(error)
    : `${error}${frames.map((frame) => `\n    at ${frame}`).join("")}`;
}

module.exports = class extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    this.global.Error.prepareStackTrace = stackOf;
  }
};
