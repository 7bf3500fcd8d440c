// Replaces, in tests, modules that Pulumi's SDK loads at every start but needs only to serialize functions, which this project
// never does (see lazy-modules.js). Loading them took half a second in each test file that loads the SDK.

const unloaded = new Proxy(
  {},
  {
    get(_target, name) {
      if (name === "__esModule") return true;
      if (name === "default") return unloaded;
      throw new Error(`tests do not load this module of Pulumi's SDK (${String(name)})`);
    },
  },
);
module.exports = unloaded;
