import { type ParseArgsConfig, parseArgs, types } from "node:util";
import { CliError } from "./errors";

/** A command after `hearth`. */
export interface Verb {
  /** One line for the list of verbs. */
  summary: string;
  /** The whole help text, ending with a newline. */
  usage: string;
  /** Resolves to the exit status: 0 success, 1 a fault of the server. Throws `CliError` for a wrong command. */
  run(argv: string[]): Promise<number>;
}

/** Reads the options of a verb; an unknown option is an error that names the verb's help. */
export function readOptions<T extends NonNullable<ParseArgsConfig["options"]>>(
  verb: string,
  argv: string[],
  options: T,
) {
  try {
    return parseArgs({ args: argv, options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const what = types.isNativeError(error) ? (error.message.split(". ")[0] ?? "") : String(error);
    throw new CliError(`${verb}: ${what} (npx hearth ${verb} --help)`);
  }
}
