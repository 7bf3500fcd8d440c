import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(__dirname, "../..");

/** Folders and files in plain English. Add a folder here when its texts are rewritten. */
const CLEAN = [
  "README.md",
  "CONTRIBUTING.md",
  "Pulumi*.yaml",
  "docs",
  "examples",
  "config-schemas",
  "components",
  "runtimes",
  "hosts",
  "cli",
  "toolchain",
  "sandbox",
  "stand-ins",
  "bench",
  "provider",
  "tests/provider",
  "plan",
  "tests/bench",
  "tests/cli",
  "tests/components",
  "tests/config-schemas",
  "tests/e2e",
  "tests/fixtures",
  "tests/golden",
  "tests/invariants",
  "tests/runtimes",
  "tests/sandbox",
  "tests/support",
  "tests/toolchain",
];

/** Generated files and lock files, and this list of words itself. */
const NOT_PROSE =
  /^tests\/golden\/records\/|\.sum$|go\.mod$|package-lock\.json$|^tests\/invariants\/language\.test\.ts$/;

/** Words that many non-native speakers do not know, and the words to write instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  anew: "again, rebuilt",
  beside: "next to, along with",
  "for ever": "permanently, until …",
  "comes to life": "starts",
  "come to life": "start",
  "goes by": "uses",
  "go by": "use",
  "log-in": "login",
  "log-ins": "logins",
  he: "the user, they",
  his: "the user's, their",
  mend: "fix, repair",
  mends: "fixes, repairs",
  "nobody's": "unowned",
  "put right": "fix, repair",
  "puts right": "fixes, repairs",
  "put it right": "fix it, repair it",
  "puts it right": "fixes it, repairs it",
  surroundings: "host, environment",
  "to be told": "to be informed",
  "the way out": "the fix",
  "way out": "connection, route; fix",
  "of ours": "our",
  "for want of": "without",
  "take the place of": "replace",
  "takes the place of": "replaces",
  whoever: "a user who, everyone who",
};

/** Allowed lines: quotes of third parties, and texts that must not change yet. File, then a part of the line. */
const ALLOWED: readonly (readonly [file: string, part: string])[] = [
  // A comment in nginx.conf on live hosts: a new text would write the file again.
  ["components/proxy/render.ts", "Whoever has IPv6"],
];

/** Longer entries first: "the way out" is one finding, not two. */
const words = Object.keys(INSTEAD).sort((a, b) => b.length - a.length);
const WORDS = new RegExp(`(?<![\\w-])(${words.join("|")})(?![\\w-])`, "gi");

/** One line for each such word: where it is, and what to write. */
function findings(file: string, text: string): string[] {
  return text.split("\n").flatMap((line, index) => {
    if (ALLOWED.some(([where, part]) => where === file && line.includes(part))) return [];
    return [...line.matchAll(WORDS)].map(
      ([word]) => `${file}:${index + 1}: "${word}"; fix: write ${INSTEAD[word.toLowerCase()]}`,
    );
  });
}

it("finds a word at its line, whole words only, in any case", () => {
  expect(findings("a.md", "Read it.\nIt is built Anew, besides the renewed mendable.")).toEqual([
    'a.md:2: "Anew"; fix: write again, rebuilt',
  ]);
  expect(findings("a.md", "Say the way out.")).toEqual(['a.md:1: "the way out"; fix: write the fix']);
});

it("texts are in plain English", () => {
  const listed = execFileSync("git", ["ls-files", "--", ...CLEAN], { cwd: ROOT, encoding: "utf8" });
  const files = listed.split("\n").filter((file) => file !== "" && !NOT_PROSE.test(file));
  expect(files.length).toBeGreaterThan(300);
  expect(files.flatMap((file) => findings(file, readFileSync(join(ROOT, file), "utf8")))).toEqual([]);
});
