import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(__dirname, "../..");
const folders = (path: string) =>
  readdirSync(join(ROOT, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
const components = folders("components");

it.each(components)("%s has its schema and its tests under the same word", (name) => {
  expect(existsSync(join(ROOT, `config-schemas/${name}.ts`))).toBe(true);
  expect(existsSync(join(ROOT, `tests/components/${name}.test.ts`))).toBe(true);
});

it("index.ts only wires: it fits on a screen and decides nothing but what is enabled", () => {
  const text = readFileSync(join(ROOT, "index.ts"), "utf8");
  expect(text.split("\n").length).toBeLessThanOrEqual(80);
  expect(text).not.toMatch(/\bif\b|\bfor\b|\bwhile\b/);
});

it("components know the provider's resources and nothing else of it", () => {
  const files = components.flatMap((name) =>
    readdirSync(join(ROOT, "components", name))
      .filter((file) => file.endsWith(".ts"))
      .map((file) => join("components", name, file)),
  );
  for (const file of files) {
    const imports = [...readFileSync(join(ROOT, file), "utf8").matchAll(/from "([^"]+)"/g)].map(
      ([, path]) => path,
    );
    const provider = imports.filter((path) => path?.includes("provider/") && !path.endsWith("provider/sdk"));
    const machines = imports.filter((path) => /child_process|node:net$|ssh/.test(path ?? ""));
    expect([file, provider, machines]).toEqual([file, [], []]);
  }
});
