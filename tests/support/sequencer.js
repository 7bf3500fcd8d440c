// Longest file first, by the times of an earlier run: two workers end together only if no long file runs last.
const path = require("node:path");
const { default: Sequencer } = require("@jest/test-sequencer");
const recorded = require("./seconds.json");

const root = path.resolve(__dirname, "../..");
const recordedOf = (file) => recorded[path.relative(root, file)];
const secondsOf = (file) => recordedOf(file) ?? Number.POSITIVE_INFINITY;

/**
 * New files run first, because their times are unknown. Of the unit tests only the long files are recorded, because a fresh
 * checkout would start them by their size; the others keep jest's own order.
 */
class LongestFirst extends Sequencer {
  async sort(tests) {
    const usual = await super.sort(tests);
    const onHosts = (test) => /\.(provider|e2e)\.test\.ts$/.test(test.path);
    if (usual.some(onHosts)) return [...usual].sort((a, b) => secondsOf(b.path) - secondsOf(a.path) || 0);
    return [...usual].sort((a, b) => (recordedOf(b.path) ?? 0) - (recordedOf(a.path) ?? 0));
  }
}

module.exports = LongestFirst;
