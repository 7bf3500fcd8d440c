import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseDocument, stringify, visit } from "yaml";
import { stackFileJsonSchema } from "./language/json-schema";
import { type Example, renderReference } from "./language/reference";

/** The directory of the generated files. */
export const GENERATED = join(__dirname, "generated");

/** Stack files that people start with and that tests deploy, so their content works. */
const EXAMPLES = ["Pulumi.vps.yaml", "Pulumi.home.yaml", "examples/home-ports.yaml", "examples/backups.yaml"];

/** Each section from the first of these files that has it, without comments. */
function examples(): Record<string, Example> {
  const all: Record<string, Example> = {};
  for (const file of EXAMPLES) {
    const document = parseDocument(readFileSync(join(__dirname, "..", file), "utf8"));
    visit(document, {
      Node: (_key, node) => void Object.assign(node, { comment: null, commentBefore: null }),
    });
    const { config } = document.toJS();
    for (const name of Object.keys(config)) {
      all[name] ??= { file, yaml: stringify({ config: { [name]: document.getIn(["config", name]) } }) };
    }
  }
  return all;
}

/** The name and the expected content of every generated file. */
export function generatedFiles(): Readonly<Record<string, string>> {
  const schema = stackFileJsonSchema();
  return {
    "stack.schema.json": `${JSON.stringify(schema, null, 2)}\n`,
    "REFERENCE.md": renderReference(schema, examples()),
  };
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/**
 * Names of the generated files that are missing or outdated.
 * @param directory the directory of the files
 */
export function staleFiles(directory: string = GENERATED): string[] {
  return Object.entries(generatedFiles())
    .filter(([name, content]) => contentOf(join(directory, name)) !== content)
    .map(([name]) => name);
}

function write(): void {
  for (const [name, content] of Object.entries(generatedFiles())) {
    const file = join(GENERATED, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}

const USAGE = `npm run gen              write the schema and the reference to config-schemas/generated
npm run gen -- --check   only check whether they match the schemas
`;

function main(args: readonly string[]): number {
  const [option] = args;
  if (option !== undefined && option !== "--check") {
    process.stderr.write(USAGE);
    return option === "--help" ? 0 : 2;
  }
  if (option === undefined) {
    write();
    return 0;
  }
  const stale = staleFiles();
  if (stale.length === 0) return 0;
  console.error(
    `${stale.join(", ")} in config-schemas/generated: does not match the schemas\n  fix: run npm run gen, and commit the result`,
  );
  return 1;
}

if (require.main === module) process.exitCode = main(process.argv.slice(2));
