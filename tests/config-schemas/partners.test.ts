import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { stackSchema } from "../../config-schemas/stack";

const ROOT = join(__dirname, "..", "..");
/** Secrets are given to the components; they are no component. */
const COMPONENTS = Object.keys(stackSchema.shape).filter((section) => section !== "secrets");

function folders(path: string): string[] {
  return readdirSync(join(ROOT, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

describe.each(COMPONENTS)("one word, three places: %s", (name) => {
  test("has its schema, its component and its tests where everybody looks", () => {
    expect(existsSync(join(ROOT, "config-schemas", `${name}.ts`))).toBe(true);
    expect(existsSync(join(ROOT, "components", name, "index.ts"))).toBe(true);
    const tests = readdirSync(join(ROOT, "tests", "components"));
    expect(tests.filter((entry) => entry === name || entry.startsWith(`${name}.`))).not.toEqual([]);
  });
});

test("no component is without a key in the stack file", () => {
  expect(folders("components").filter((name) => !COMPONENTS.includes(name))).toEqual([]);
});
