export interface Arguments {
  help: boolean;
  /** Repetitions of each measurement. */
  rounds: number;
  /** Leave the host running for the next run. */
  keep: boolean;
  /** Also measure the whole VPS stack. */
  vps: boolean;
  /** Measure one part alone. */
  only?: "looking";
}

export const USAGE = `npm run bench [-- OPTIONS]

Measures Hearth, Ansible and pyinfra with the same host state on one sandbox host, how a preview grows
with releases and hosts, and the whole VPS stack.
Needs what the quickstart needs, and python3 with venv.

  --rounds N    repetitions of each measurement; the table shows medians (default: 5)
  --no-vps      leave out the VPS stack
  --looking     measure only how a preview grows with releases and hosts
  --keep        leave the sandbox host running
  --help        this text

Writes the single measurements to .hearth/bench/results.json.
`;

/** Reads the command line; throws with a message for the user on unknown arguments. */
export function parseArguments(argv: readonly string[]): Arguments {
  const parsed: Arguments = { help: false, rounds: 5, keep: false, vps: true };
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === "--help" || argument === "-h") parsed.help = true;
    else if (argument === "--keep") parsed.keep = true;
    else if (argument === "--no-vps") parsed.vps = false;
    else if (argument === "--looking") parsed.only = "looking";
    else if (argument === "--rounds") parsed.rounds = checkedRounds(rest.shift());
    else throw new RangeError(`unknown option ${argument}; see: npm run bench -- --help`);
  }
  return parsed;
}

function checkedRounds(text = ""): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new RangeError(`--rounds "${text}": a whole number from 1 to 99 is needed`);
}
