import type { Connection } from "../contract/connection";
import { ProviderError } from "../protocol/errors";
import { shellWord } from "../text";
import { BOOTSTRAP_STATUS } from "./bootstrap";
import { firstLine, lastLine, said } from "./said";
import { explainSudo } from "./sudo";

/** The connection ended while a program ran on the host; what the program does goes on or not, unknown to us. */
export class ConnectionLost extends ProviderError {
  constructor(connection: Connection, detail: string) {
    super("UNAVAILABLE", `the connection to ${connection.name} was lost${detail ? `: ${detail}` : ""}`);
    this.name = "ConnectionLost";
  }
}

/** A program was given up: it may be waiting for something on the host. What it does there goes on or not, as after a lost connection. */
export class TimedOut extends ConnectionLost {
  constructor(connection: Connection, program: string, seconds: number) {
    super(connection, "");
    this.message = `${program} on ${connection.name} gave no result within ${seconds} s
  fix: see what hangs there (load, a full disk, a service or Podman that does not answer), then run it again
  ${withoutHost(connection.name)}`;
    this.name = "TimedOut";
  }
}

/** One kind of failed login: what ssh says, and what we say. */
interface Explanation {
  pattern: RegExp;
  problem: (place: string, said: string) => string;
  fix: (connection: Connection, said: string) => string;
}

const KNOWN_HOSTS_FIX = (connection: Connection) =>
  `compare the fingerprint on the machine's own console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
      then log in once by hand (ssh ${handArguments(connection)}) and accept it, or add the key to ${connection.knownHostsFile ?? "~/.ssh/known_hosts"}`;

/** What represents a login whose shell could not even run `true`. */
export const NO_SHELL = "no usable shell";

/** How ssh says that nobody answered: the machine hung up, or a jump host on the way did not get through. */
export const NO_ANSWER = /kex_exchange_identification|UNKNOWN port 65535/;
/** Stands before what a jump host said. */
export const PROXY_SAID = "on the way:";

/** What a jump host says that was reached and could not go on. */
const BEYOND: Explanation = {
  pattern: /open failed|stdio forwarding failed/,
  problem: (place, said) => `${place} cannot reach it (${firstLine(said)})`,
  fix: (connection) =>
    `check hearth:hosts.${connection.name}.address and port: they are what the jump host sees`,
};

const EXPLANATIONS: Explanation[] = [
  {
    pattern: /Session open refused by peer|administratively prohibited: open failed/,
    problem: noSessionsProblem,
    fix: noSessionsFix,
  },
  {
    pattern: /[Tt]oo many logins|(shell|exec) request failed on channel/,
    problem: (place, said) => `${place} has no room for one more login of this user (${firstLine(said)})`,
    fix: () => "look at the limits of pam_limits there (maxlogins, nproc in /etc/security/limits.conf)",
  },
  {
    pattern: /password has expired|[Pp]assword change required|account has expired|password expired/,
    problem: (place, said) =>
      `the login user's password or account on ${place} has expired (${lastLine(said)})`,
    fix: () => "renew it there (passwd, chage --list USER shows what holds), or log in as another user",
  },
  {
    pattern:
      /[Uu]nprivileged users are not permitted|System is (booting up|going down)|\/etc\/nologin|\/run\/nologin/,
    problem: (place, said) => `${place} lets nobody in for now (${firstLine(said)})`,
    fix: () => "wait until it has started; if it has, remove /run/nologin or /etc/nologin there",
  },
  {
    pattern: new RegExp(`^${NO_SHELL}`),
    problem: noShell,
    fix: anotherUser,
  },
  {
    // What is left to be asked for after the key was taken; without `publickey`, it is not the key.
    pattern: /Permission denied \((?![^)]*publickey)[^)]*(keyboard-interactive|password)/,
    problem: (place, said) => `${place} refused the login by key alone (${lastLine(said)})`,
    fix: (connection) =>
      `check user and key: ssh ${handArguments(connection)}; if it asks for a code or a password besides the key, let a user of its own in by key alone (in sshd_config: Match User NAME, AuthenticationMethods publickey): nobody is there to type it`,
  },
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for .* has changed/,
    problem: (place) => `${place} shows another host key than the known one; nothing was sent to it`,
    fix: (
      connection,
    ) => `if the machine was installed again, remove the old key: ssh-keygen -R ${hostKeyName(connection)}
      and ${KNOWN_HOSTS_FIX(connection)}; if it was not, somebody may be in between`,
  },
  {
    pattern: /host key is known for .* strict checking|Host key verification failed/,
    problem: (place) => `the host key of ${place} is not known`,
    fix: KNOWN_HOSTS_FIX,
  },
  {
    pattern: /Permission denied|Too many authentication failures/,
    problem: (place, said) => `${place} refused the login (${lastLine(said)})`,
    fix: (connection) =>
      `check user and key: ssh ${handArguments(connection)}; hearth:hosts.${connection.name} sets user and identityFile, else ssh's own configuration and agent decide`,
  },
  {
    pattern: /Could not resolve hostname/,
    problem: (place) => `the name of ${place} was not found`,
    fix: (connection) => `check hearth:hosts.${connection.name}.address and your resolver`,
  },
  {
    pattern: /Connection refused/,
    problem: (place) => `${place} refused the connection`,
    fix: (connection) => `check that sshd runs there and hearth:hosts.${connection.name}.port is its port`,
  },
  {
    pattern: /timed out|No route to host|Network is unreachable|Host is down/,
    problem: (place, said) => `${place} cannot be reached (${lastLine(said)})`,
    fix: () => "check that the machine is on and that this network leads to it",
  },
  {
    pattern:
      /Bad owner or permissions|Can't open user config file|Bad configuration option|terminating, \d+ bad/,
    problem: (place, said) => `ssh's configuration for ${place} cannot be used (${firstLine(said)})`,
    fix: () => "correct the file that ssh names",
  },
  {
    pattern: /Connection (closed|reset)|kex_exchange_identification|Broken pipe/,
    problem: (place, said) => `${place} closed the connection before the login (${lastLine(said)})`,
    fix: () => "look at sshd's log on the machine: a ban (fail2ban), MaxStartups, or a port that is not ssh",
  },
];

function noShell(place: string, words: string): string {
  const [what = "", ...lines] = words.split("\n");
  const shown =
    lines.length > 1 ? ["", "  the host said:", ...lines.map((line) => `    ${line}`)].join("\n") : "";
  return `the login user on ${place} has ${what}${shown}`;
}

/** A forced command of a cloud image names the user to take instead. */
function anotherUser({ name }: Connection, words: string): string {
  const named = /\b(?:as|for) (?:the )?(?:user )?["'`“]?([a-z_][a-z0-9_-]{0,31})["'`”]?/.exec(words)?.[1];
  const user = named !== undefined && !/^(root|the|a|user)$/.test(named) ? named : "USER";
  return `log in as another user: in hearth:hosts.${name} write user: ${user} and become: sudo; or give this one a shell (chsh, and no command="…" before its key in ~/.ssh/authorized_keys)`;
}

function noSessionsProblem(place: string): string {
  return `sshd on ${place} opens no session for a program`;
}

function noSessionsFix(): string {
  return "set MaxSessions in sshd_config there to 1 or more (10 is the default; sshd -T shows what holds) and reload ssh; if it is, something else uses all of them: end that, or look at MaxStartups and the limits of pam_limits too";
}

/** The login works, but no session can be had on it. */
export function noSessions(connection: Connection): ProviderError {
  return new ProviderError(
    "UNAVAILABLE",
    `${noSessionsProblem(describe(connection))}\n  fix: ${noSessionsFix()}\n  ${withoutHost(connection.name)}`,
  );
}

/** How to go on without the host; ends every message about one that cannot be reached. */
export function withoutHost(name: string): string {
  return `go on without it: npm run pulumi -- up --exclude ${shellWord(`**::${name}*`)}
  or plan against the last known state: HEARTH_OFFLINE=1 npm run pulumi -- preview (its address changed: HEARTH_OFFLINE=1 npm run pulumi -- up)`;
}

/** What a failed login means. `said` is what ssh wrote to standard error. */
export function explainLogin(connection: Connection, said: string): ProviderError {
  const found = EXPLANATIONS.find(({ pattern }) => pattern.test(said));
  const { problem, fix } = said.startsWith(PROXY_SAID)
    ? onTheWay(connection, found, said.slice(PROXY_SAID.length))
    : {
        problem: found?.problem(describe(connection), said) ?? unforeseen(describe(connection), said),
        fix: found?.fix(connection, said) ?? `${byHand(connection)}; ${SSHD_LOG}`,
      };
  const key = /Identity file (\S+) not accessible/.exec(said);
  const missing = key ? `\n  the key file ${key[1]} is not there` : "";
  const load = /Load key "[^"]*": .*/.exec(said);
  const unusable = load ? `\n  ${load[0].trim()}` : "";
  return new ProviderError(
    "UNAVAILABLE",
    `${problem}${missing}${unusable}\n  fix: ${fix}\n  ${withoutHost(connection.name)}`,
  );
}

/** The same problems at a jump host; how to get rid of them is seen by going the way by hand. */
function onTheWay(connection: Connection, found: Explanation | undefined, said: string) {
  const place = `the jump host ${connection.jump ?? "of your ssh configuration"} on the way to ${describe(connection)}`;
  if (BEYOND.pattern.test(said))
    return { problem: BEYOND.problem(place, said), fix: BEYOND.fix(connection, said) };
  return { problem: found?.problem(place, said) ?? unforeseen(place, said), fix: byHand(connection) };
}

const SSHD_LOG =
  "sshd's log on the machine (journalctl -u ssh) says more: an account that has expired or is locked ends so";

function unforeseen(place: string, words: string): string {
  if (said(words).length === 0) return `${place} ended the login without a message`;
  return `the login to ${place} failed (${lastLine(words)})`;
}

function byHand(connection: Connection): string {
  return `try it by hand: ssh ${handArguments(connection)}`;
}

/** What an end before the program has begun means: the bootstrap's own, or sudo's; undefined when it is neither. */
export function explainBootstrap(
  connection: Connection,
  { interpreter, asRoot }: { interpreter: string; asRoot: boolean },
  { status, stderr, outside }: { status: number; stderr: string; outside: string },
): ProviderError | undefined {
  const refuse = (problem: string, fix: string) =>
    new ProviderError("FAILED_PRECONDITION", `${problem}\n  fix: ${fix}`);
  const { name } = connection;
  if (status === BOOTSTRAP_STATUS.noTar) return refuse(`${name} has no tar`, "install tar on it");
  if (status === BOOTSTRAP_STATUS.noInterpreter) {
    return refuse(`${name} has no ${interpreter}`, `install ${interpreter} on it`);
  }
  if (status === BOOTSTRAP_STATUS.noDirectory || status === BOOTSTRAP_STATUS.brokenTar) {
    return refuse(
      `${name} has no room for a temporary directory (${lastLine(stderr)})`,
      "make room in /run (df -h /run), or mount it writable",
    );
  }
  if (status === 0 || status === 255 || !asRoot || connection.become !== "sudo") return undefined;
  const { problem, fix } = explainSudo(connection, `${outside}\n${stderr}`);
  return refuse(problem, fix);
}

/** `vps (vps.example.org)`: the host's name and where we look for it. */
export function describe(connection: Connection): string {
  if (connection.transport === "local" || connection.address === undefined) return connection.name;
  const port = connection.port ? `:${connection.port}` : "";
  return `${connection.name} (${connection.address}${port})`;
}

/** What to type after `ssh` to try the same by hand, quoted for a shell. */
export function handArguments(connection: Connection): string {
  const { sshConfigFile, knownHostsFile, port, identityFile, jump, user, address = "" } = connection;
  const options = [
    sshConfigFile && ["-F", sshConfigFile],
    port && ["-p", String(port)],
    identityFile && ["-i", identityFile],
    knownHostsFile && ["-o", `UserKnownHostsFile="${knownHostsFile}"`],
    jump && ["-J", jump],
  ];
  const words = options.flatMap((option) => option || []);
  return [...words, user ? `${user}@${address}` : address].map(shellWord).join(" ");
}

/** What to type after `ssh-keygen -R`. */
function hostKeyName({ address = "", port, knownHostsFile }: Connection): string {
  const name = port && port !== 22 ? `[${address}]:${port}` : address;
  return [name, ...(knownHostsFile ? ["-f", knownHostsFile] : [])].map(shellWord).join(" ");
}
