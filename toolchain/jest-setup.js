// For the test tiers that start the engine: `pulumi` on PATH and the same variables as in the npm scripts.
const { ensure } = require("./ensure");

module.exports = async () => {
  Object.assign(process.env, await ensure());
};
