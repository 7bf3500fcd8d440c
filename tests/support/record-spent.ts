import fs from "node:fs";
import { spent } from "../../sandbox/spent";

// What this file's hosts and deployments took, for the table at the end of a run (reporter.js).
afterAll(() => {
  const file = process.env.HEARTH_TEST_SPENT;
  if (file === undefined) return;
  fs.appendFileSync(file, `${JSON.stringify({ file: expect.getState().testPath, ...spent() })}\n`);
});
