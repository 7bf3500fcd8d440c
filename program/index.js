// Where the engine starts the program (`main` in Pulumi.yaml says why): ../index.ts, in the checkout.
process.chdir(require("node:path").dirname(__dirname));
require("../toolchain/one-state").requireOneState(process.cwd());
const fromBundle = globalThis[Symbol.for("hearth.program")];
module.exports = fromBundle ? fromBundle() : require("../index.ts");
