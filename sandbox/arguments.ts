import { SandboxError } from "./errors";
import { SUITES, type Suite } from "./state";

export const VERBS = ["up", "down", "list", "shell", "reboot", "power-cut", "cert", "ssh-config"] as const;
export type Verb = (typeof VERBS)[number];

/** One parsed and checked call of the command line. */
export type Call =
  | { verb: "help"; about?: Verb }
  | { verb: "up"; name: string; suite?: Suite; dnsNames?: string[] }
  | { verb: "down"; name: string }
  | { verb: "down-all" }
  | { verb: "list"; json: boolean }
  | { verb: "shell"; name: string; command: string[] }
  | { verb: "reboot" | "power-cut"; name: string }
  | { verb: "cert"; out: string; names: string[] }
  | { verb: "ssh-config" };

const USAGE: Record<Verb, string> = {
  up: `up NAME [--suite ${SUITES.join("|")}] [--name DNSNAME ...]
  Make sure the host NAME runs; create and boot it if necessary (the first time: builds the image).
  --suite   Debian release of a new host; default: ${SUITES[0]}
  --name    DNS name that leads to this host in all hosts; may be repeated; default: keep the existing names`,
  down: `down NAME | --all
  End a host and delete its disk. --all also removes the bridge and the firewall table.`,
  list: `list [--json]
  Show all hosts: name, address, suite, state, DNS names.`,
  shell: `shell NAME [-- COMMAND ...]
  Open a root shell in a host, or run a command there. The exit code is the command's.
  One word is shell text ('id; uptime'); several are a program and its arguments, taken literally.`,
  reboot: `reboot NAME
  Reboot a host in an orderly way and wait until it has booted.`,
  "power-cut": `power-cut NAME
  Kill the whole host without a shutdown. "up NAME" boots it again from the same disk.`,
  cert: `cert --out DIR DNSNAME ...
  Write DIR/fullchain.pem and DIR/privkey.pem, signed by the sandbox's CA, which all hosts trust.
  Nothing changes while the files in DIR have these names and are valid for 30 more days.`,
  "ssh-config": `ssh-config
  Print the path of an ssh configuration with all hosts: ssh -F "$(npm run -s sandbox -- ssh-config)" NAME`,
};

/** The help text of one verb, or of all verbs. */
export function usage(about?: Verb): string {
  if (about) return `Usage: npm run sandbox -- ${USAGE[about]}\n`;
  const verbs = VERBS.map((verb) => USAGE[verb]).join("\n\n");
  return `Usage: npm run sandbox -- VERB ...   (as root, on Linux)

Disposable Debian hosts: real systemd and sshd in systemd-nspawn, on a private network with access to the internet.
State: HEARTH_SANDBOX_DIR, default /var/lib/hearth-sandbox. DNS server for hosts: HEARTH_SANDBOX_DNS.

${verbs}

  help [VERB], VERB --help
  Show this, or one verb.\n`;
}

/** Reads the command line; throws one error that says what is wrong and how to use the verb. */
export function parseArguments(argv: readonly string[]): Call {
  const [word, ...rest] = argv;
  if (word === undefined || word === "help" || word === "--help" || word === "-h") {
    return { verb: "help", about: VERBS.find((verb) => verb === rest[0]) };
  }
  const verb = VERBS.find((known) => known === word);
  if (!verb) throw new SandboxError(`unknown verb "${word}"; verbs: ${VERBS.join(", ")}, help`);
  const { positional, options, command } = split(verb, rest);
  if (options.has("--help")) return { verb: "help", about: verb };
  switch (verb) {
    case "up":
      return {
        verb,
        name: only(verb, positional),
        suite: suiteOf(options.get("--suite")),
        dnsNames: options.get("--name"),
      };
    case "down":
      if (!options.has("--all")) return { verb, name: only(verb, positional) };
      if (positional.length > 0) throw wrong(verb, "--all takes no name");
      return { verb: "down-all" };
    case "shell":
      return { verb, name: only(verb, positional), command };
    case "reboot":
    case "power-cut":
      return { verb, name: only(verb, positional) };
    case "cert": {
      const out = options.get("--out")?.at(-1);
      if (!out) throw wrong(verb, "--out DIR is missing");
      if (positional.length === 0) throw wrong(verb, "a certificate needs at least one name");
      return { verb, out, names: positional };
    }
    case "list":
    case "ssh-config":
      if (positional.length > 0) throw wrong(verb, `unexpected "${positional[0]}"`);
      return verb === "list" ? { verb, json: options.has("--json") } : { verb };
  }
}

/** The options of each verb, and whether a value follows. */
const OPTIONS: Record<Verb, Record<string, boolean>> = {
  up: { "--suite": true, "--name": true },
  down: { "--all": false },
  list: { "--json": false },
  shell: {},
  reboot: {},
  "power-cut": {},
  cert: { "--out": true },
  "ssh-config": {},
};

interface Split {
  positional: string[];
  options: Map<string, string[]>;
  command: string[];
}

function split(verb: Verb, words: readonly string[]): Split {
  const result: Split = { positional: [], options: new Map(), command: [] };
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--" && verb === "shell") {
      result.command = words.slice(at + 1);
      break;
    }
    if (!word.startsWith("-")) {
      result.positional.push(word);
      continue;
    }
    const [option = "", inline] = word === "-h" ? ["--help"] : word.split(/=(.*)/s);
    const takesValue = option === "--help" ? false : OPTIONS[verb][option];
    if (takesValue === undefined) throw wrong(verb, `unknown option ${option}`);
    const value = takesValue ? (inline ?? words[++at]) : "";
    if (value === undefined || (takesValue && value === "")) throw wrong(verb, `${option} needs a value`);
    result.options.set(option, [...(result.options.get(option) ?? []), value]);
  }
  return result;
}

function only(verb: Verb, positional: readonly string[]): string {
  const [name] = positional;
  if (name === undefined) throw wrong(verb, "the host's name is missing");
  if (positional.length > 1)
    throw wrong(verb, `one host's name, not ${positional.length}: ${positional.join(" ")}`);
  return name;
}

function suiteOf(values: readonly string[] | undefined): Suite | undefined {
  const value = values?.at(-1);
  if (value === undefined) return undefined;
  const suite = SUITES.find((known) => known === value);
  if (!suite) throw wrong("up", `--suite "${value}" is not one of ${SUITES.join(", ")}`);
  return suite;
}

function wrong(verb: Verb, what: string): SandboxError {
  return new SandboxError(`${verb}: ${what}\n${usage(verb).trimEnd()}`);
}
