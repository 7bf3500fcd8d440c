import { visibleLines } from "../provider/text";
import { backup } from "./backup";
import { CliError } from "./errors";
import { restore } from "./restore";
import { trust } from "./trust";
import type { Verb } from "./verb";
import { verify } from "./verify";

/** Every verb, in the order of the help text. */
const VERBS: Record<string, Verb> = { verify, backup, restore, trust };

function usage(): string {
  const names = Object.entries(VERBS).map(([name, verb]) => `  ${name.padEnd(10)} ${verb.summary}`);
  return `npx hearth VERB [OPTIONS]

Commands for a stack in addition to pulumi preview and pulumi up.

${names.join("\n")}

  npx hearth VERB --help   description and options of a verb
`;
}

/** Runs one command line; the result is the exit status: 0 success, 1 a fault of the server, 2 a fault of the command. */
export async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(usage());
    return name === undefined ? 2 : 0;
  }
  try {
    const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
    if (verb === undefined) {
      throw new CliError(
        `"${name}" is not a verb; allowed: ${Object.keys(VERBS).join(", ")} (npx hearth --help)`,
      );
    }
    if (rest.includes("--help") || rest.includes("-h")) {
      process.stdout.write(verb.usage);
      return 0;
    }
    return await verb.run(rest);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    process.stderr.write(`hearth: ${visibleLines(error.message)}\n`);
    return 2;
  }
}

if (require.main === module) {
  main(process.argv.slice(2)).then((status) => {
    process.exitCode = status;
  });
}
