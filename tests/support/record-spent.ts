import fs from "node:fs";
import { spent } from "../../sandbox/spent";

// The time of this file's hosts and deployments, for the table at the end of a run (reporter.js).
afterAll(() => {
  const file = process.env.HEARTH_TEST_SPENT;
  if (file === undefined) return;
  fs.appendFileSync(file, `${JSON.stringify({ file: expect.getState().testPath, ...spent() })}\n`);
});
