// Longest file first, by the times of an earlier run: two workers end together only if no long file runs last.
const path = require("node:path");
const { default: Sequencer } = require("@jest/test-sequencer");
const recorded = require("./seconds.json");

const root = path.resolve(__dirname, "../..");
const secondsOf = (file) => recorded[path.relative(root, file)] ?? Number.POSITIVE_INFINITY;

/** New files run first, because their times are unknown. Unit tests are not recorded: jest's own order is good enough. */
class LongestFirst extends Sequencer {
  async sort(tests) {
    const usual = await super.sort(tests);
    const onHosts = (test) => /\.(provider|e2e)\.test\.ts$/.test(test.path);
    if (!usual.some(onHosts)) return usual;
    return [...usual].sort((a, b) => secondsOf(b.path) - secondsOf(a.path) || 0);
  }
}

module.exports = LongestFirst;
