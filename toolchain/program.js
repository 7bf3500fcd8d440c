// Loaded into the process of the Pulumi program before anything else (`nodeargs` in Pulumi.yaml). The SDK and Hearth are 870 modules:
// to find and read them one by one took longer than to run the program. So the SDK's start (`@pulumi/pulumi/cmd/run`) is replaced by
// one bundle that contains it and Hearth (program/main.js).
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const { bundle } = require("./bundle");
const { keepCode } = require("./code-cache");

// Pulumi's SDK sets this flag (its module for the serialization of functions).
keepCode("program", ["--allow-natives-syntax"]);

const root = path.dirname(__dirname);
/** The SDK needs them only to serialize functions, which this project never does; they take a third of a second. */
const heavy = new Set(["typescript", "@npmcli/arborist"]);
const bundled = isHearth() && !isTraced();
const load = Module._load;

Module._load = function (request, parent, isMain) {
  if (heavy.has(request)) return whenUsed(() => load(request, parent, isMain));
  return isMain && bundled ? load(started(), parent, isMain) : load.call(this, request, parent, isMain);
};
if (!bundled) require("./register");

/** Whether the program is the one next to this folder, and not one of a test that uses this file. */
function isHearth() {
  const option = process.argv.indexOf("--root-directory");
  const project = option < 0 ? undefined : process.argv[option + 1];
  return (
    project !== undefined &&
    fs.realpathSync(project) === root &&
    require.resolve(process.argv[1]) === require.resolve("@pulumi/pulumi/cmd/run")
  );
}

/** Tracing replaces functions of modules while they are loaded; in a bundle it cannot. */
function isTraced() {
  return Boolean(process.env.TRACEPARENT) || process.argv.includes("--tracing");
}

function started() {
  process.env.HEARTH_CHECKOUT = root;
  return bundle(path.join(root, "program/main.js"), { external: [...heavy], sourcemap: true });
}

/** Stands for a module that is loaded when something of it is used. */
function whenUsed(loadIt) {
  let loaded;
  return new Proxy(
    {},
    {
      get(_target, name) {
        // Compiled import statements read this property; the answer prevents a copy of the module, which would load it.
        if (name === "__esModule") return true;
        loaded ??= loadIt();
        return name === "default" ? loaded : loaded[name];
      },
    },
  );
}
