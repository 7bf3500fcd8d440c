import type { Connection } from "../contract/connection";
import { shellWord } from "../text";
import { said } from "./said";

/** One kind of refusal: what sudo or sudo-rs says (in the C locale, whatever the host speaks), and what we say. */
interface Refusal {
  pattern: RegExp;
  problem: (name: string, user: string) => string;
  fix: (name: string, user: string) => string;
}

const setPassword = (name: string) =>
  `set it: npm run pulumi -- config set --secret --path ${shellWord(`hearth:secrets.sudo.${name}`)}`;

/** In the order of asking: what comes later may also hold words of what comes before. */
const REFUSALS: Refusal[] = [
  {
    pattern: /you must have a tty/,
    problem: (name, user) => `sudo on ${name} wants a terminal from ${user} (requiretty), and there is none`,
    fix: (_name, user) =>
      `allow it without one: as root, visudo -f /etc/sudoers.d/hearth and write: Defaults:${user} !requiretty`,
  },
  {
    pattern: /[Pp]assword (is )?expired|account (has )?expired|password has expired/,
    problem: (name, user) =>
      `the password or the account of ${user} on ${name} has expired, so sudo refuses it`,
    fix: (_name, user) => `renew it there: passwd, or as root chage --list ${user} shows what holds`,
  },
  {
    pattern: /[Aa]ccount validation failure|account is locked|account management error/,
    problem: (name, user) => `sudo on ${name} refuses the account of ${user}: it may be locked`,
    fix: (_name, user) => `look at it as root: passwd --status ${user}; faillock --user ${user}`,
  },
  {
    pattern:
      /incorrect (password|authentication) attempt|Sorry, try again|no password was provided|[Aa]uthentication failed/,
    problem: (name) => `sudo on ${name} did not take the password`,
    fix: (name, user) =>
      `${setPassword(name)} (the password of ${user}; root's where sudoers has rootpw or targetpw)`,
  },
  {
    pattern:
      /password is required|terminal is required|interact(ive authentication|ion) is required|askpass|but not attempted/i,
    problem: (name) => `sudo on ${name} asks for a password and the stack holds none`,
    fix: (name, user) => `${setPassword(name)}, or let ${user} use sudo without one (NOPASSWD)`,
  },
  {
    pattern:
      /not in the sudoers|not allowed to (execute|run|authenticate)|may not run|afraid I can't do that/,
    problem: (name, user) => `${user} may not use sudo on ${name}`,
    fix: (_name, user) => `add ${user} to the group sudo there, or log in as root`,
  },
  {
    pattern: /sudo: (command )?not found|sudo.: No such file|env: .?sudo/,
    problem: (name) => `${name} has no sudo`,
    fix: () => "install it there, or log in as root with become: none",
  },
  {
    pattern:
      /no valid sudoers|sudoers.*(syntax error|is (owned by|world writable|mode))|invalid configuration|syntax error/,
    problem: (name) => `sudo on ${name} cannot read its configuration`,
    fix: () => "check it there as root: visudo -c",
  },
  {
    pattern: /effective uid is not 0|must be (owned by uid 0|setuid root)|no new privileges/i,
    problem: (name) =>
      `sudo on ${name} cannot become root: its file has lost its rights, or this login forbids it`,
    fix: () =>
      "see that /usr/bin/sudo belongs to root with mode 4755 on a file system without nosuid, and that the login is not confined (NoNewPrivileges)",
  },
  {
    pattern: /unable to allocate pty|no ttys? /,
    problem: (name) => `sudo on ${name} finds no pseudo-terminal (use_pty in sudoers)`,
    fix: () => "see that /dev/pts is mounted there, or set Defaults !use_pty for this user",
  },
];

/** Lines of sudo's words that a message shows; where it repeats what it was asked to run, more would be our own text. */
const LINES_SAID = 3;

/** What it means that sudo ended before our program began. `words`: what was on its streams. */
export function explainSudo(connection: Connection, words: string): { problem: string; fix: string } {
  const { name, user = "the login user" } = connection;
  const found = REFUSALS.find(({ pattern }) => pattern.test(words));
  if (found) return { problem: found.problem(name, user), fix: found.fix(name, user) };
  const lines = said(words).slice(0, LINES_SAID);
  const shown = lines.length > 0 ? lines.map((line) => `\n    ${line}`).join("") : " and said nothing";
  return {
    problem: `sudo on ${name} did not start the program for ${user}${shown}`,
    fix: "log in there by hand and try: sudo -v; sudo true",
  };
}
