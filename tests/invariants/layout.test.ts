import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stackSchema } from "../../config-schemas/stack";

const ROOT = join(__dirname, "../..");
/** Secrets are inputs of the components, not a component. */
const COMPONENTS = Object.keys(stackSchema.shape).filter((section) => section !== "secrets");

function folders(path: string): string[] {
  return readdirSync(join(ROOT, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

describe.each(COMPONENTS)("one word, three paths: %s", (name) => {
  it("has its schema, its component and its tests at the usual paths", () => {
    expect(existsSync(join(ROOT, "config-schemas", name, "schema.ts"))).toBe(true);
    expect(existsSync(join(ROOT, "components", name, "index.ts"))).toBe(true);
    expect(existsSync(join(ROOT, "tests", "components", `${name}.test.ts`))).toBe(true);
  });
});

it("every component has a key in the stack file, and there are no other files next to them", () => {
  expect(readdirSync(join(ROOT, "components")).filter((name) => !COMPONENTS.includes(name))).toEqual([]);
});

it("sections of the stack file and their shared language have separate folders", () => {
  const others = ["generated", "language", "trust"];
  expect(folders("config-schemas").sort()).toEqual([...COMPONENTS, ...others].sort());
});

it("index.ts only connects components and decides only which are enabled", () => {
  const lines = readFileSync(join(ROOT, "index.ts"), "utf8").split("\n");
  const code = lines.map((line) => line.trim()).filter((line) => !/^(\/\/|\/?\*)/.test(line));
  expect(code.filter((line) => /\b(if|for|while|switch)\b/.test(line))).toEqual([]);
});

it("docs/README.md lists exactly the decisions, by their titles", () => {
  const pages = readdirSync(join(ROOT, "docs/decisions")).map((page) => {
    const [title = ""] = readFileSync(join(ROOT, "docs/decisions", page), "utf8").split("\n");
    return `[${title.replace(/^# /, "")}](decisions/${page})`;
  });
  const index = readFileSync(join(ROOT, "docs/README.md"), "utf8");
  const listed = [...index.matchAll(/^- (.*)$/gm)].map(([, link]) => link);
  expect(listed.sort()).toEqual(pages.sort());
});
