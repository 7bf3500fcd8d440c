import { CliError } from "../errors";

export interface Arguments {
  help: boolean;
  down: boolean;
  /** Name of this pair of servers; part of host names, server names and files. */
  name: string;
}

export const USAGE = `npm run quickstart [-- OPTIONS]

Boots two disposable Debian hosts on this machine, deploys Pulumi.vps.yaml to both (under two server names), creates
accounts and sends an end-to-end encrypted message from one server to the other and back. Needs Linux, root, and
access to package archives. A second run changes nothing.

  --down         remove hosts, state and files of the quickstart, also after an interrupted run
  --name NAME    another pair of servers next to the first (default: quickstart)
  --help         this text

Writes .hearth/NAME.json (addresses, accounts, passwords, times), readable by you only.
`;

/** Reads the command line; throws on unknown arguments. */
export function parseArguments(argv: readonly string[]): Arguments {
  const parsed: Arguments = { help: false, down: false, name: "quickstart" };
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === "--help" || argument === "-h") parsed.help = true;
    else if (argument === "--down") parsed.down = true;
    else if (argument === "--name") parsed.name = checkedName(rest.shift());
    else throw new CliError(`unknown option ${argument}; see: npm run quickstart -- --help`);
  }
  return parsed;
}

function checkedName(name = ""): string {
  if (/^[a-z][a-z0-9-]{0,20}[a-z0-9]$/.test(name)) return name;
  throw new CliError(
    `--name "${name}": 2 to 22 lower-case letters, digits and hyphens are allowed, starting with a letter`,
  );
}
