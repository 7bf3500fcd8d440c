import fs from "node:fs";
import path from "node:path";
import { root } from "./support";

interface Locked {
  version?: string;
  optionalDependencies?: Record<string, string>;
}

// npm writes only the platform packages it could see; where the registry lacks some, the lock file comes out short, and then
// `npm ci` refuses it in every fresh clone.
test("package-lock.json names the packages of every platform, so that a fresh clone installs", () => {
  const text = fs.readFileSync(path.join(root, "package-lock.json"), "utf8");
  const packages: Record<string, Locked> = JSON.parse(text).packages;
  const versions = new Map<string, string[]>();
  for (const [place, { version }] of Object.entries(packages)) {
    const name = place.split("node_modules/").at(-1) ?? "";
    versions.set(name, [...(versions.get(name) ?? []), version ?? ""]);
  }
  const missing = Object.values(packages)
    .flatMap(({ optionalDependencies }) => Object.entries(optionalDependencies ?? {}))
    .filter(([name, wanted]) => {
      const present = versions.get(name) ?? [];
      return /^\d/.test(wanted) ? !present.includes(wanted) : present.length === 0;
    });
  expect(missing).toEqual([]);
  expect(text).not.toContain('"resolved"');
});
