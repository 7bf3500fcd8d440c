import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { GENERATED, generatedFiles, staleFiles } from "../../config-schemas/generate";
import { adviceKeys, synapseKeyAdvice } from "../../config-schemas/homeserver/synapse-keys";
import {
  type JsonSchema,
  stackFileJsonSchema,
  stackJsonSchema,
} from "../../config-schemas/language/json-schema";
import { homesOf, keysAt } from "../../config-schemas/language/shape";
import { parseStack } from "../../config-schemas/parse";
import { fixtureStacks, readStackFile } from "../fixtures/stacks";

const ROOT = join(__dirname, "..", "..");

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every path of a schema that holds a value, with its description in the reference. */
function leaves(schema: JsonSchema, path: string): { path: string; description: string | undefined }[] {
  const below = [
    ...Object.entries(schema.properties ?? {}),
    ...(isSchema(schema.additionalProperties) ? [["<name>", schema.additionalProperties] as const] : []),
    ...(isSchema(schema.items) ? [["[]", schema.items] as const] : []),
  ].flatMap(([key, child]) =>
    isSchema(child) && child.$ref === undefined ? leaves(child, `${path}.${key}`) : [],
  );
  const branches = (schema.oneOf ?? []).flatMap((branch) => leaves(branch, path));
  if (below.length + branches.length > 0) return [...below, ...branches];
  return [{ path, description: schema.description }];
}

test("every key has a description; otherwise editors and the reference would show none", () => {
  const all = leaves(stackJsonSchema(), "hearth");
  expect(all.length).toBeGreaterThan(100);
  const undocumented = all
    .filter(({ description }) => (description?.length ?? 0) < 8)
    .map(({ path }) => path);
  // Postgres documents its own settings.
  expect(undocumented).toEqual(["hearth.postgres.settings.<name>"]);
});

test("the generated files match the schemas (fix: npm run gen)", () => {
  expect(staleFiles()).toEqual([]);
});

test("a changed or missing generated file is reported", () => {
  const directory = mkdtempSync(join(tmpdir(), "hearth-generated-"));
  try {
    const files = generatedFiles();
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
    expect(staleFiles(directory)).toEqual([]);
    appendFileSync(join(directory, "stack.schema.json"), " ");
    rmSync(join(directory, "REFERENCE.md"));
    expect(staleFiles(directory).sort()).toEqual(["REFERENCE.md", "stack.schema.json"]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

const manual = readFileSync(join(GENERATED, "REFERENCE.md"), "utf8");
const chapters = new Map(
  manual
    .split(/^## /m)
    .slice(1)
    .map((text): [string, string] => [text.slice(0, text.indexOf("\n")), text]),
);

test("the reference has a table for each kind of a mapping, and no row without a key", () => {
  expect(manual).not.toContain("| `` |");
  const titles = [...manual.matchAll(/^### (.*)$/gm)].map(([, title]) => title);
  expect(titles).toEqual(
    expect.arrayContaining([
      "`registration` with `mode: open`",
      "`kind: tailscale-funnel`",
      "`records.<name>` with `type: SRV`",
    ]),
  );
  const srv =
    chapters
      .get("hearth:dns")
      ?.split("### ")
      .find((part) => part.includes("type: SRV")) ?? "";
  const keys = [...srv.matchAll(/^\| `records\.<name>\.(\w+)`/gm)].map(([, key]) => key);
  expect(keys).toEqual(["type", "name", "ttl", "priority", "weight", "port", "target"]);
});

test("the reference links every section and shows an example of it", () => {
  const links = [...manual.matchAll(/\[(hearth:\w+)\]\(#(\w+)\)/g)].map(([, name, anchor]) => [name, anchor]);
  expect(links).toEqual([...chapters.keys()].map((name) => [name, name.replace(":", "")]));
  for (const [name, text] of chapters) {
    const [, yaml = ""] = /```yaml\n([^`]*)```/.exec(text) ?? [];
    // A command sets its keys; the reference shows it.
    if (name === "hearth:secrets") expect(text).toContain("config set --secret");
    else expect([name, Object.keys(parse(yaml)?.config ?? {})]).toEqual([name, [name]]);
  }
});

test("the reference names every key of the stack file", () => {
  const keys = leaves(stackJsonSchema(), "")
    .map(({ path }) => path.split(".").slice(2).join(".").replaceAll(".[]", "[]"))
    .filter((key) => key !== "" && !key.endsWith("[]") && !/perSecond|burst|settings\.|resolve\./.test(key));
  expect(keys.filter((key) => !manual.includes(`| \`${key}\` |`))).toEqual([]);
});

describe("the JSON Schema of a stack file", () => {
  const committed: JsonSchema = JSON.parse(readFileSync(join(GENERATED, "stack.schema.json"), "utf8"));
  const validator = z.fromJSONSchema(committed);
  const valid = (file: unknown) => validator.safeParse(file).success;
  const vps = readStackFile(join(ROOT, "Pulumi.vps.yaml"), "vps");

  test.each([vps, ...fixtureStacks()])("accepts $name unchanged, also encrypted values", ({ file }) => {
    expect(valid(file)).toBe(true);
  });

  const change = (key: string, value: unknown) => ({
    ...vps.file,
    config: { ...vps.file.config, [key]: value },
  });

  test("accepts keys of other providers and of the engine", () => {
    expect(
      valid({
        ...change("cloudflare:apiToken", { secure: "x" }),
        encryptionsalt: "v1:x",
        secretsprovider: "passphrase",
      }),
    ).toBe(true);
  });

  test.each([
    ["an unknown key of Hearth", "hearth:bridges", {}],
    ["a secret in clear text", "hearth:secrets", { accounts: { alice: "in clear" } }],
    ["a missing required key", "hearth:proxy", { kind: "nginx" }],
    ["a misspelt key", "hearth:proxy", { host: "vps", federationport: true }],
    ["a wrong unit", "hearth:proxy", { host: "vps", readTimeout: "10" }],
    [
      "a half-open registration",
      "hearth:homeserver",
      { ...(vps.raw.homeserver as object), registration: { mode: "open", require: [] } },
    ],
    ["a host name in capitals", "hearth:hosts", { VPS: { address: "x" } }],
  ])("refuses %s", (_what, key, value) => {
    expect(valid(change(key, value))).toBe(false);
  });

  test("requires no key that has a default; otherwise editors would mark good files", () => {
    expect(stackFileJsonSchema().properties?.config).toMatchObject({
      required: ["hearth:hosts", "hearth:homeserver", "hearth:postgres", "hearth:proxy"],
    });
  });
});

test("[V1] the committed stack is good and points editors to its schema", () => {
  const path = join(ROOT, "Pulumi.vps.yaml");
  expect(parseStack(readStackFile(path, "vps").raw)).toMatchObject({ ok: true });
  const [first = ""] = readFileSync(path, "utf8").split("\n");
  expect(first).toBe("# yaml-language-server: $schema=./config-schemas/generated/stack.schema.json");
});

test("the committed stack has the form that the engine writes; otherwise the engine's first command changes every line", () => {
  const lines = readFileSync(join(ROOT, "Pulumi.vps.yaml"), "utf8").trimEnd().split("\n");
  expect(lines.filter((line) => line === "" || /\{ | \}/.test(line))).toEqual([]);
});

test("advice about Synapse's keys names keys that exist", () => {
  const named = adviceKeys.flatMap((key) => synapseKeyAdvice(key)?.match(/hearth:[\w.]*\w/g) ?? []);
  expect(named.length).toBeGreaterThan(40);
  const missing = named.filter((name) => {
    const path = name.replace("hearth:", "").split(".");
    const last = path[path.length - 1] ?? "";
    return (
      !keysAt(path.slice(0, -1)).includes(last) &&
      !homesOf(last).some((home) => home.join(".") === path.join("."))
    );
  });
  expect(missing).toEqual([]);
});
