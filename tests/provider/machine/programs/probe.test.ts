import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const LIBRARY = join(__dirname, "../../../../provider/machine/programs/lib");

/** What a health probe of this command says. */
function said(...argv: string[]): string {
  const root = mkdtempSync(join(tmpdir(), "hearth-probe-"));
  mkdirSync(join(root, "request/argv"), { recursive: true });
  writeFileSync(join(root, "request/argv/health.0"), argv.map((word) => `${word}\n`).join(""));
  const parts = ["base", "redact", "scan"].map((part) => `. "${LIBRARY}/${part}.sh"`).join("; ");
  try {
    const script = `set -eu; DIR="${LIBRARY}/.."; ${parts}; DIR=$1 REQUEST=$1/request; probe 0 command - - 2`;
    return execFileSync("dash", ["-c", script, "sh", root], { encoding: "utf8" });
  } finally {
    rmSync(root, { recursive: true });
  }
}

test.each([
  ["says nothing", "exit 3", "failed with status 3\n"],
  ["prints empty lines only", "echo; echo; exit 2", "failed with status 2\n"],
  ["says why", "echo first; echo 'no response' >&2; exit 2", "failed: no response\n"],
  ["hangs", "sleep 30", "gave no answer within 2 s\n"],
])("[W6] a probe that fails and %s never leaves its reason empty", (_what, script, words) => {
  expect(said("/bin/sh", "-c", script)).toBe(words);
});
