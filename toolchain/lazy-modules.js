// Loaded into the Pulumi program before anything else (`nodeargs` in Pulumi.yaml). Pulumi's SDK loads the TypeScript
// compiler and npm's dependency solver at every start, although it needs them only to serialize functions, which this
// project never does. Loading them at first use instead saves a third of a second in every preview, and twice that in an
// update with its preview.
const Module = require("node:module");
const path = require("node:path");
const { keepCode } = require("./code-cache");

// Pulumi's SDK sets this flag (its module for the serialization of functions).
keepCode("program", ["--allow-natives-syntax"]);

const heavy = new Set(["typescript", "@npmcli/arborist"]);
const sdk = path.join("node_modules", "@pulumi", "pulumi") + path.sep;
const load = Module._load;

Module._load = function (request, parent, isMain) {
  if (!heavy.has(request) || !parent?.filename?.includes(sdk))
    return load.call(this, request, parent, isMain);
  let loaded;
  return new Proxy(
    {},
    {
      get(_target, name) {
        // Compiled import statements read this property; the answer prevents a copy of the module, which would load it.
        if (name === "__esModule") return true;
        loaded ??= load(request, parent, isMain);
        return name === "default" ? loaded : loaded[name];
      },
    },
  );
};
