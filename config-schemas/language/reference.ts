import { NAMESPACE } from "../stack";
import type { JsonSchema } from "./json-schema";

/** One row of a table in the reference. */
interface Row {
  key: string;
  type: string;
  fallback: string;
  meaning: string;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function code(value: unknown): string {
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function typeOf(schema: JsonSchema): string {
  if (schema.title !== undefined) return schema.title;
  if (schema.enum !== undefined) return schema.enum.map(code).join(", ");
  if (schema.const !== undefined) return code(schema.const);
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(" or ");
  if (schema.oneOf !== undefined) return "one of the mappings below";
  if (schema.type === "array") return isSchema(schema.items) ? `list of ${typeOf(schema.items)}` : "list";
  if (schema.type === "object") return "mapping";
  if (schema.type === "integer") return "whole number";
  return { string: "text", boolean: "`true` or `false`", number: "number" }[String(schema.type)] ?? "any";
}

function meaningOf(schema: JsonSchema): string {
  const example = !isPlain(schema.default) ? schema.examples?.[0] : undefined;
  const text = schema.description ?? "";
  return example === undefined ? text : `${text} Example: ${code(example)}.`;
}

/** The default as text; the default of a mapping is the defaults of its keys. */
function isPlain(value: unknown): boolean {
  return value !== undefined && JSON.stringify(value) !== "{}";
}

function rowOf(key: string, schema: JsonSchema, required: boolean): Row {
  return { key, type: typeOf(schema), fallback: fallbackOf(schema, required), meaning: meaningOf(schema) };
}

function fallbackOf(schema: JsonSchema, required: boolean): string {
  if (required) return "**required**";
  if (isPlain(schema.default)) return code(schema.default);
  if (schema.default === undefined) return "–";
  return schema.properties === undefined ? "empty" : "see below";
}

function mappingRows(key: string, schema: JsonSchema): Row[] {
  const rows = Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
    isSchema(child) && child.not === undefined
      ? rowsOf(key === "" ? name : `${key}.${name}`, child, schema.required?.includes(name) ?? false)
      : [],
  );
  const other = schema.additionalProperties;
  if (!isSchema(other) || schema.properties !== undefined) return rows;
  // A value of any kind needs no row.
  return other.type !== undefined || other.oneOf !== undefined
    ? rowsOf(`${key}${key && "."}<name>`, other)
    : [];
}

/** Rows for a key and everything below it. A mapping with a title is a kind of value that the introduction explains. */
function rowsOf(key: string, schema: JsonSchema, required = false): Row[] {
  const row = rowOf(key, schema, required);
  if (schema.title !== undefined) return [row];
  // Each branch has its own table.
  if (schema.oneOf !== undefined) return key === "" ? [] : [row];
  if (schema.type === "object") {
    const isContainer = key === "" || key.endsWith("<name>");
    return isContainer ? mappingRows(key, schema) : [row, ...mappingRows(key, schema)];
  }
  if (schema.type === "array" && isSchema(schema.items) && schema.items.type === "object")
    return [row, ...mappingRows(`${key}[]`, schema.items)];
  return [row];
}

/** One of several mappings that a key can hold; they differ in the value of one constant key. */
interface Branch {
  /** Its heading, such as "`records.<name>` with `type: SRV`". */
  title: string;
  rows: Row[];
}

/** The branches of all unions in a section, in the order of its keys. */
function branchesOf(key: string, schema: JsonSchema): Branch[] {
  if (schema.title !== undefined) return [];
  const below = key === "" ? "" : `${key}.`;
  const own = (schema.oneOf ?? []).map((branch) => branchOf(key, branch));
  const { properties = {}, additionalProperties, items } = schema;
  const children: [string, unknown][] = [
    ...Object.entries(properties).map(([name, child]): [string, unknown] => [`${below}${name}`, child]),
    [`${below}<name>`, additionalProperties],
    [`${key}[]`, items],
  ];
  return [...own, ...children.flatMap(([path, child]) => (isSchema(child) ? branchesOf(path, child) : []))];
}

function branchOf(key: string, schema: JsonSchema): Branch {
  const [kind, value] = Object.entries(schema.properties ?? {}).find(([, child]) => isConstant(child)) ?? [];
  if (kind === undefined || !isSchema(value))
    throw new Error(`no constant key distinguishes the mappings at ${key}`);
  const word = code(`${kind}: ${value.const}`);
  return { title: key === "" ? word : `${code(key)} with ${word}`, rows: mappingRows(key, schema) };
}

function isConstant(schema: unknown): boolean {
  return isSchema(schema) && schema.const !== undefined;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ key, type, fallback, meaning }) =>
      `| \`${key}\` | ${cell(type)} | ${cell(fallback)} | ${cell(meaning)} |`,
  );
  return ["| key | type | default | meaning |", "|---|---|---|---|", ...lines].join("\n");
}

const INTRODUCTION = `# Reference of the stack file

Generated from the schemas in \`config-schemas/\` by \`npm run gen\`; do not edit.

A stack file is \`Pulumi.<stack>.yaml\` in the project's directory. Each section below is one key under \`config:\`. Hearth refuses
keys that are not listed and suggests the nearest name. Values include their unit:

* **duration**: a whole number and \`s\`, \`m\` (minutes), \`h\`, \`d\`, \`w\` or \`y\` (365 days), e.g. \`14d\`.
* **size**: a whole number and \`K\`, \`M\`, \`G\` or \`T\` (powers of 1024), e.g. \`100M\`.
* **rate**: a mapping of \`perSecond\` (on average) and \`burst\` (at once), e.g. \`{ perSecond: 0.2, burst: 10 }\`.
* **file**: a path on the machine that runs Pulumi: absolute, \`~/…\`, or relative to the project's directory.

A dash as default means that the key is absent; its meaning says what happens then. An absent mapping has the defaults of its keys,
which are listed after it ("see below").
`;

/** The file that an example comes from, and the text of the example. */
export interface Example {
  file: string;
  yaml: string;
}

/**
 * Renders the reference of the stack file.
 * @param file JSON Schema of a stack file
 * @param examples by the key of the section, e.g. `hearth:proxy`
 */
export function renderReference(file: JsonSchema, examples: Readonly<Record<string, Example>>): string {
  const config = file.properties?.config;
  const sections = isSchema(config) ? Object.entries(config.properties ?? {}) : [];
  const required = isSchema(config) ? (config.required ?? []) : [];
  const chapters = sections.map(([name, schema]) =>
    isSchema(schema) ? chapter(name, schema, required.includes(name), examples[name]) : "",
  );
  const opening = `\`config:\` holds the keys of the namespace \`${NAMESPACE}:\`; \`Pulumi.vps.yaml\` and \`Pulumi.home.yaml\` are complete examples.\n`;
  const contents = sections.map(([name]) => `[${name}](#${name.replace(/[^a-z]/g, "")})`).join(" · ");
  return [INTRODUCTION, opening, `${contents}\n`, ...chapters].join("\n");
}

function chapter(name: string, schema: JsonSchema, required: boolean, example: Example | undefined): string {
  const rows = rowsOf("", schema);
  const branches = branchesOf("", schema).map(({ title, rows: own }) => `### ${title}\n\n${table(own)}\n`);
  return [
    `## ${name}\n\n${schema.description ?? ""} ${required ? "Required." : "May be left out."}\n`,
    ...(rows.length > 0 ? [`${table(rows)}\n`] : []),
    ...branches,
    ...(example === undefined
      ? []
      : [`Example, from \`${example.file}\`:\n\n\`\`\`yaml\n${example.yaml}\`\`\`\n`]),
  ].join("\n");
}
