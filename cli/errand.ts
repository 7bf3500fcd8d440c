import { existsSync } from "node:fs";
import { type Errand, runErrand } from "../provider/machine/errand";
import { ProviderError } from "../provider/protocol/errors";
import { visibleLines } from "../provider/text";
import type { HostAnswer } from "../provider/transport/session";
import { CliError } from "./errors";
import { ROOT } from "./pulumi";

/** Longest time of a command that copies a whole server, seconds. */
const LONGEST = 12 * 3600;

/** Runs a program on the host; what goes wrong on the way there is an error that the user can fix. */
export async function errand(
  what: Pick<Errand, "connection" | "packages" | "argv" | "files" | "stays">,
  onLine?: (line: string) => void,
): Promise<HostAnswer> {
  // The provider also runs there: relative paths of a stack start at the checkout.
  process.chdir(ROOT);
  process.env.HEARTH_PROVIDER_DIR ??= `${ROOT}/provider`;
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.once("SIGINT", stop);
  try {
    return await runErrand({
      ...what,
      ...(onLine === undefined ? {} : { onLine }),
      signal: stopping.signal,
      timeoutSeconds: LONGEST,
    });
  } catch (error) {
    throw error instanceof ProviderError ? new CliError(error.message) : error;
  } finally {
    process.removeListener("SIGINT", stop);
  }
}

/** Shows a line of the host as it comes. */
export function show(line: string): void {
  process.stdout.write(`${visibleLines(line)}\n`);
}

/** The engine treats a missing file as an empty configuration, and creates it. */
export function requireFile(verb: string, option: string, file: string | undefined): void {
  if (file !== undefined && !existsSync(file))
    throw new CliError(`${verb}: --${option} ${file}: there is no such file`);
}
