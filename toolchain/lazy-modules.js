// Loaded into the Pulumi program before anything else (`nodeargs` in Pulumi.yaml). Pulumi's SDK loads the TypeScript
// compiler and npm's dependency solver at every start, although it needs them only to serialize functions, which this
// project never does. Loading them at first use instead takes a third of a second off every preview, and twice that off an
// update with its preview.
const Module = require("node:module");
const path = require("node:path");
const { keepCode } = require("./code-cache");

keepCode("program");

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
        // Asked by compiled import statements; the answer keeps them from copying, and so from loading, what is there.
        if (name === "__esModule") return true;
        loaded ??= load(request, parent, isMain);
        return name === "default" ? loaded : loaded[name];
      },
    },
  );
};
