import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { createInterface } from "node:readline/promises";
import { formatFaults } from "../../config-schemas/language/fault";
import { parseStack } from "../../config-schemas/parse";
import { rawOf } from "../../config-schemas/stack-file";
import { type Confirmation, confirmationsOf } from "../../config-schemas/trust/confirmations";
import {
  ConfirmedError,
  confirm,
  confirmedFile,
  confirmedFor,
  lineOf,
} from "../../config-schemas/trust/confirmed";
import { CliError } from "../errors";
import { ROOT } from "../pulumi";
import { readOptions, type Verb } from "../verb";

const USAGE = `npx hearth trust -s STACK [--yes] [--config-file FILE]

Lists the parts of a stack file that change how this machine behaves, read its files, or send your secrets, and asks you to
confirm them. Previews and updates refuse them until then, because somebody else may have written the stack file.

  -s, --stack STACK   the stack
  --yes               confirm without a question, for your own scripts
  --config-file FILE  its configuration, if it is not Pulumi.STACK.yaml
  -h, --help          this text

Uses no network. Your confirmations are kept below ~/.local/state/hearth/trusted, or in the file that HEARTH_TRUSTED names (for
CI: a file that no branch can change). Exit status: 0 confirmed, 2 not confirmed.
`;

const OPTIONS = {
  stack: { type: "string", short: "s" },
  "config-file": { type: "string" },
  yes: { type: "boolean", default: false },
} as const;

async function run(argv: string[]): Promise<number> {
  const options = readOptions("trust", argv, OPTIONS);
  const { stack } = options;
  if (stack === undefined)
    throw new CliError("trust: the stack is missing\n  fix: npx hearth trust -s STACK");
  const needed = neededBy(options["config-file"] ?? path.join(ROOT, `Pulumi.${stack}.yaml`));
  try {
    const file = confirmedFile(ROOT);
    const confirmed = confirmedFor(file, stack) ?? [];
    process.stdout.write(listed(stack, needed, confirmed));
    if (needed.every((one) => confirmed.includes(lineOf(one)))) return 0;
    if (!options.yes && !(await agreed())) throw new CliError("nothing was confirmed");
    confirm(file, stack, needed);
    process.stdout.write(`Confirmed; kept in ${file}\n`);
    return 0;
  } catch (error) {
    throw error instanceof ConfirmedError ? new CliError(error.message) : error;
  }
}

/** Everything in the stack file `file` that needs a confirmation. */
function neededBy(file: string): Confirmation[] {
  if (!existsSync(file)) throw new CliError(`trust: ${file}: there is no such file`);
  const parsed = parseStack(rawOf(readFileSync(file, "utf8")));
  if (!parsed.ok) throw new CliError(formatFaults(parsed.faults, path.basename(file)));
  return confirmationsOf(parsed.config, parsed.secrets, ROOT);
}

/** The text that lists everything to confirm, with new entries marked. */
export function listed(stack: string, needed: readonly Confirmation[], confirmed: readonly string[]): string {
  if (needed.length === 0) return `Nothing in the stack ${stack} needs a confirmation.\n`;
  const lines = needed.map((one) => `${confirmed.includes(lineOf(one)) ? "      " : "  new "}${lineOf(one)}`);
  return `With your confirmation, the stack ${stack} does this:\n\n${lines.join("\n")}\n\n`;
}

/** Asks the user; this needs a terminal. */
async function agreed(): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new CliError("trust: there is no terminal for the question\n  fix: --yes confirms the whole list");
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await asking.question("Do you confirm all of this? (yes/no) ").finally(() => asking.close());
  return answer.trim().toLowerCase() === "yes";
}

export const trust: Verb = {
  summary: "confirm the effects of a stack file on this machine and your secrets",
  usage: USAGE,
  run,
};
