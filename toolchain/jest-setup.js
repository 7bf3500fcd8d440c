// For the test tiers that start the engine: `pulumi` on PATH and the variables it needs, as the npm scripts have them.
const { ensure } = require("./ensure");

module.exports = async () => {
  Object.assign(process.env, await ensure());
};
