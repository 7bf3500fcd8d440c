// The bundle of the program's process (toolchain/program.js): the SDK's own start, and Hearth for index.js, which the SDK loads then.
const { nameLinesOfShownErrors } = require("../toolchain/stack-traces");

globalThis[Symbol.for("hearth.program")] = () => require("../index.ts");
require("@pulumi/pulumi/cmd/run");
// The SDK has set that errors name the lines of the source.
nameLinesOfShownErrors();
