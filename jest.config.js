// Four tiers: `unit` (no engine, no host), `provider` (the resource provider against a real host) and `e2e` (everything);
// `deep` takes an hour and more, and is no part of `npm test`: faults at every place instead of a sample of them.
// `npx jest tests/toolchain --selectProjects unit` runs part of one.

// An Output pasted into a string is a mistake that shows only on a running server; in tests it throws.
process.env.PULUMI_ERROR_OUTPUT_STRING = "true";

// `testTimeoutSeconds` is for what hangs, and never what a test proves: what a machine downloads and builds once takes minutes,
// several times as many where it is slow and others use it too.
const shared = {
  testEnvironment: "<rootDir>/toolchain/jest-environment.js",
  setupFilesAfterEnv: ["<rootDir>/toolchain/jest-timeout.js"],
  transform: {
    "\\.ts$": [
      "@swc/jest",
      { jsc: { parser: { syntax: "typescript" }, target: "es2022" }, module: { type: "commonjs" } },
    ],
  },
  moduleNameMapper: { "^(typescript|@npmcli/arborist)$": "<rootDir>/toolchain/jest-unloaded.js" },
  // Run-time state of this checkout, copies of it made by tests among them.
  modulePathIgnorePatterns: ["<rootDir>/.hearth/"],
};
/** @type {import("jest").Config} */
module.exports = {
  // Two cores run the whole suite in CI. A file on hosts waits for four tenths of its time, for boots, for units to stay up;
  // three files use what two leave idle, in 6 GiB of memory.
  maxWorkers: 3,
  testSequencer: "<rootDir>/tests/support/sequencer.js",
  reporters: ["default", "<rootDir>/tests/support/reporter.js"],
  projects: [
    {
      ...shared,
      displayName: "unit",
      testMatch: ["<rootDir>/tests/**/*.test.ts"],
      testPathIgnorePatterns: ["\\.(provider|e2e|deep)\\.test\\.ts$"],
      globals: { testTimeoutSeconds: 60 },
    },
    {
      ...shared,
      displayName: "provider",
      setupFilesAfterEnv: [...shared.setupFilesAfterEnv, "<rootDir>/tests/support/record-spent.ts"],
      testMatch: ["<rootDir>/tests/**/*.provider.test.ts"],
      globalSetup: "<rootDir>/toolchain/jest-setup.js",
      globals: { testTimeoutSeconds: 1200 },
    },
    {
      ...shared,
      displayName: "e2e",
      setupFilesAfterEnv: [...shared.setupFilesAfterEnv, "<rootDir>/tests/support/record-spent.ts"],
      testMatch: ["<rootDir>/tests/**/*.e2e.test.ts"],
      globalSetup: "<rootDir>/toolchain/jest-setup.js",
      globals: { testTimeoutSeconds: 2700 },
    },
    {
      ...shared,
      displayName: "deep",
      testMatch: ["<rootDir>/tests/**/*.deep.test.ts"],
      globalSetup: "<rootDir>/toolchain/jest-setup.js",
      globals: { testTimeoutSeconds: 14_400 },
    },
  ],
};
