import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stackSchema } from "../../config-schemas/stack";

const ROOT = join(__dirname, "../..");
/** Secrets are given to the components; they are no component. */
const COMPONENTS = Object.keys(stackSchema.shape).filter((section) => section !== "secrets");

function folders(path: string): string[] {
  return readdirSync(join(ROOT, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

describe.each(COMPONENTS)("one word, three places: %s", (name) => {
  it("has its schema, its component and its tests where everybody looks", () => {
    expect(existsSync(join(ROOT, "config-schemas", name, "schema.ts"))).toBe(true);
    expect(existsSync(join(ROOT, "components", name, "index.ts"))).toBe(true);
    expect(existsSync(join(ROOT, "tests", "components", `${name}.test.ts`))).toBe(true);
  });
});

it("no component is without a key in the stack file, and nothing lies loose beside them", () => {
  expect(readdirSync(join(ROOT, "components")).filter((name) => !COMPONENTS.includes(name))).toEqual([]);
});

it("sections of the stack file and the words they are written in have folders of their own", () => {
  const others = ["generated", "language", "trust"];
  expect(folders("config-schemas").sort()).toEqual([...COMPONENTS, ...others].sort());
});

it("index.ts only wires: it fits on a screen and decides nothing but what is enabled", () => {
  const lines = readFileSync(join(ROOT, "index.ts"), "utf8").split("\n");
  expect(lines.length).toBeLessThanOrEqual(80);
  const code = lines.map((line) => line.trim()).filter((line) => !/^(\/\/|\/?\*)/.test(line));
  expect(code.filter((line) => /\b(if|for|while|switch)\b/.test(line))).toEqual([]);
});

it("docs/README.md lists every decision by its own title, and nothing that is not there", () => {
  const pages = readdirSync(join(ROOT, "docs/decisions")).map((page) => {
    const [title = ""] = readFileSync(join(ROOT, "docs/decisions", page), "utf8").split("\n");
    return `[${title.replace(/^# /, "")}](decisions/${page})`;
  });
  const index = readFileSync(join(ROOT, "docs/README.md"), "utf8");
  const listed = [...index.matchAll(/^- (.*)$/gm)].map(([, link]) => link);
  expect(listed.sort()).toEqual(pages.sort());
});
