// Starts the resource provider from its TypeScript source; what has not changed since the last start is not compiled again.
// HEARTH_PROVIDER_DIR tells it where its host scripts are.
process.env.HEARTH_PROVIDER_DIR = __dirname;
require("../toolchain/register");
require("./main.ts");
