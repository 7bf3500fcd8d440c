// Starts the resource provider from its TypeScript source, bundled again only when that has changed.
// HEARTH_PROVIDER_DIR tells it where its host scripts are.
const path = require("node:path");
const { bundle } = require("../toolchain/bundle");
const { keepCode } = require("../toolchain/code-cache");

keepCode("provider");

process.env.HEARTH_PROVIDER_DIR = __dirname;
require(bundle(path.join(__dirname, "main.ts")));
