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

Shows what in a stack file decides how this machine behaves, which of its files are read, and where your secrets go, and asks
whether that is what you want. Until then previews and updates refuse it: a stack file may be somebody else's.

  -s, --stack STACK   the stack
  --yes               confirm without being asked, for scripts of your own
  --config-file FILE  its configuration, when it is not Pulumi.STACK.yaml
  -h, --help          this text

Contacts nobody. What you confirm is kept below ~/.local/state/hearth/trusted, or in the file that HEARTH_TRUSTED names (for
CI: a file that no branch can change). Exit status: 0 confirmed, 2 not.
`;

const OPTIONS = {
  stack: { type: "string", short: "s" },
  "config-file": { type: "string" },
  yes: { type: "boolean", default: false },
} as const;

async function run(argv: string[]): Promise<number> {
  const options = readOptions("trust", argv, OPTIONS);
  const { stack } = options;
  if (stack === undefined) throw new CliError("trust: which stack? npx hearth trust -s STACK");
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

/** What the stack file in `file` needs to have confirmed. */
function neededBy(file: string): Confirmation[] {
  if (!existsSync(file)) throw new CliError(`trust: ${file}: there is no such file`);
  const parsed = parseStack(rawOf(readFileSync(file, "utf8")));
  if (!parsed.ok) throw new CliError(formatFaults(parsed.faults, path.basename(file)));
  return confirmationsOf(parsed.config, parsed.secrets, ROOT);
}

/** Everything that has to be confirmed, new things marked. */
export function listed(stack: string, needed: readonly Confirmation[], confirmed: readonly string[]): string {
  if (needed.length === 0) return `Nothing in the stack ${stack} has to be confirmed.\n`;
  const lines = needed.map((one) => `${confirmed.includes(lineOf(one)) ? "      " : "  new "}${lineOf(one)}`);
  return `The stack ${stack}, if you let it:\n\n${lines.join("\n")}\n\n`;
}

/** Only a person at a terminal can be asked. */
async function agreed(): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new CliError("trust: nobody can be asked here; --yes confirms what is listed");
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await asking
    .question("Is all of that what you want? (yes/no) ")
    .finally(() => asking.close());
  return answer.trim().toLowerCase() === "yes";
}

export const trust: Verb = {
  summary: "confirm what a stack file does with this machine and your secrets",
  usage: USAGE,
  run,
};
