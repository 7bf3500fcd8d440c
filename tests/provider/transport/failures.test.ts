import type { Connection } from "../../../provider/contract/connection";
import { explainBootstrap, explainLogin } from "../../../provider/transport/failures";

const connection: Connection = {
  name: "vps",
  transport: "ssh",
  address: "vps.example.org",
  user: "root",
  become: "none",
};

/** What OpenSSH 9.2 wrote in each case, as recorded. */
const RECORDED = {
  name: "ssh: Could not resolve hostname vps.example.org: Name or service not known\n",
  refused: "ssh: connect to host vps.example.org port 22: Connection refused\n",
  route: "ssh: connect to host vps.example.org port 22: No route to host\n",
  timeout: "ssh: connect to host vps.example.org port 22: Connection timed out\n",
  banner: "Connection timed out during banner exchange\nConnection to 192.0.2.1 port 22 timed out\n",
  unknownKey:
    "No ED25519 host key is known for vps.example.org and you have requested strict checking.\nHost key verification failed.\n",
  changedKey: `@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Host key for vps.example.org has changed and you have requested strict checking.
Host key verification failed.
`,
  denied: "root@vps.example.org: Permission denied (publickey).\n",
  keyFile:
    "Warning: Identity file ./nope not accessible: No such file or directory.\nroot@vps.example.org: Permission denied (publickey).\n",
  badKey: 'Load key "./id": error in libcrypto\nroot@vps.example.org: Permission denied (publickey).\n',
  closed:
    "kex_exchange_identification: Connection closed by remote host\nConnection closed by 192.0.2.1 port 22\n",
  config: "Can't open user config file ./nope: No such file or directory\n",
};

test.each<[keyof typeof RECORDED, string]>([
  ["name", "the name of vps (vps.example.org) was not found"],
  ["refused", "vps (vps.example.org) refused the connection"],
  [
    "route",
    "vps (vps.example.org) cannot be reached (ssh: connect to host vps.example.org port 22: No route to host)",
  ],
  [
    "timeout",
    "vps (vps.example.org) cannot be reached (ssh: connect to host vps.example.org port 22: Connection timed out)",
  ],
  ["banner", "vps (vps.example.org) cannot be reached (Connection to 192.0.2.1 port 22 timed out)"],
  ["unknownKey", "the host key of vps (vps.example.org) is not known"],
  ["changedKey", "vps (vps.example.org) shows another host key than the known one; nothing was sent to it"],
  [
    "denied",
    "vps (vps.example.org) refused the login (root@vps.example.org: Permission denied (publickey).)",
  ],
  [
    "closed",
    "vps (vps.example.org) closed the connection before the login (Connection closed by 192.0.2.1 port 22)",
  ],
  [
    "config",
    "ssh's configuration for vps (vps.example.org) cannot be used (Can't open user config file ./nope: No such file or directory)",
  ],
])(
  "a login that failed by %s has a verdict of its own, a fix, and the way on without the host",
  (kind, verdict) => {
    const { code, message } = explainLogin(connection, RECORDED[kind]);
    const [first, second, ...rest] = message.split("\n");
    expect(code).toBe("UNAVAILABLE");
    expect(first).toBe(verdict);
    expect(second).toMatch(/^ {2}fix: \S/);
    expect(rest.join("\n")).toContain("npm run pulumi -- up --exclude '**::vps*'");
    expect(rest.at(-1)).toContain("HEARTH_OFFLINE=1 npm run pulumi -- preview");
  },
);

test("a key file that is missing or unusable is named", () => {
  expect(explainLogin(connection, RECORDED.keyFile).message).toContain(
    "\n  the key file ./nope is not there\n",
  );
  expect(explainLogin(connection, RECORDED.badKey).message).toContain(
    '\n  Load key "./id": error in libcrypto\n',
  );
});

test("what ssh says that nobody foresaw is shown, with the command to try by hand", () => {
  const { message } = explainLogin({ ...connection, port: 2222, jump: "gate" }, "something new\n");
  expect(message).toContain("the login to vps (vps.example.org:2222) failed (something new)");
  expect(message).toContain("ssh -p 2222 -J gate root@vps.example.org");
});

const sudo: Connection = { ...connection, user: "ann", become: "sudo" };

test.each<[string, Connection, number, string, string]>([
  [
    "a wrong password",
    sudo,
    1,
    "sudo: no password was provided\nsudo: 1 incorrect password attempt\n",
    "sudo on vps did not take the password",
  ],
  [
    "a missing password",
    sudo,
    1,
    "sudo: a password is required\n",
    "sudo on vps asks for a password and the stack holds none",
  ],
  ["no right", sudo, 1, "ann is not in the sudoers file.\n", "ann may not use sudo on vps"],
  ["no sudo", sudo, 127, "env: 'sudo': No such file or directory\n", "vps has no sudo"],
  ["no tar", connection, 97, "", "vps has no tar"],
  ["no Python", connection, 98, "", "vps has no python3"],
  [
    "a full /run",
    connection,
    96,
    "mktemp: No space left on device\n",
    "vps has no room for a temporary directory (mktemp: No space left on device)",
  ],
])("%s on the host is one message with a fix", (_what, to, status, stderr, verdict) => {
  const failure = explainBootstrap(
    to,
    { interpreter: "python3", asRoot: true },
    { status, stderr, outside: "" },
  );
  const [first, second] = failure?.message.split("\n") ?? [];
  expect(failure?.code).toBe("FAILED_PRECONDITION");
  expect(first).toBe(verdict);
  expect(second).toMatch(/^ {2}fix: \S/);
});

const refusal = (stderr: string, outside = "") =>
  explainBootstrap(sudo, { interpreter: "sh", asRoot: true }, { status: 1, stderr, outside })?.message ?? "";

/** What sudo 1.9 and sudo-rs 0.2 say in the C locale. */
test.each<[string, RegExp]>([
  ["sudo: sorry, you must have a tty to run sudo\n", /requiretty.*\n {2}fix: .*Defaults:ann !requiretty/],
  ["sudo-rs: I'm sorry ann. I'm afraid I can't do that\n", /^ann may not use sudo on vps\n/],
  ["Sorry, user ann is not allowed to execute '/usr/bin/sh -c set -u\n' as root on vps.\n", /^ann may not/],
  ["Sorry, user ann may not run sudo on vps.\n", /^ann may not/],
  ["sudo-rs: interactive authentication is required\n", /asks for a password and the stack holds none/],
  ["sudo: A terminal is required to authenticate\n", /asks for a password and the stack holds none/],
  ["sudo: no askpass program specified, try setting SUDO_ASKPASS\n", /asks for a password/],
  [
    "sudo-rs: Authentication failed, try again.\nsudo-rs: Maximum 3 incorrect authentication attempts\n",
    /did not take the password/,
  ],
  [
    "Maybe if you used more than just two fingers...\nsudo: 1 incorrect password attempt\n",
    /did not take the password/,
  ],
  ["sudo: Account or password is expired, reset your password and try again\n", /has expired/],
  ["sudo: account validation failure, is your account locked?\n", /may be locked/],
  [
    "/etc/sudoers.d/x:1:7: syntax error\nsudo: no valid sudoers sources found, quitting\n",
    /cannot read its configuration\n.*visudo -c/,
  ],
  ["sudo: /etc/sudoers is world writable\n", /cannot read its configuration/],
  [
    "sudo: effective uid is not 0, is /usr/bin/sudo on a file system with the 'nosuid' option set?\n",
    /cannot become root/,
  ],
  [
    'sudo: The "no new privileges" flag is set, which prevents sudo from running as root.\n',
    /cannot become root/,
  ],
  ["sudo: unable to allocate pty: No such device\n", /pseudo-terminal/],
])("sudo's words %j have a cause and a fix", (words, expected) => {
  expect(refusal(words)).toMatch(expected);
  expect(refusal(words)).toMatch(/\n {2}fix: \S/);
});

test("a refusal of sudo that nobody foresaw is shown as it was said, on whichever stream, and nothing in it is obeyed", () => {
  const message = refusal("sudo: the moon is full\u001b[2J\n", "Come back\n");
  expect(message).toContain("\n    Come back\n    sudo: the moon is full\\u001b[2J\n  fix: ");
});

/** What a login said whose shell did not run the command, as signs.ts hands it on. */
const noShell = (...words: string[]) =>
  explainLogin(connection, [`no usable shell (status 142: ${words.at(-1)})`, ...words].join("\n")).message;

test.each([
  ['Please login as the user "debian" rather than the user "root".', "debian"],
  ['Please login as the user "ubuntu" rather than the user "root".', "ubuntu"],
  ["Please login as the ec2-user user rather than root", "ec2-user"],
  ["This account is currently not available.", "USER"],
  ["Use the account for user admin_1 instead", "admin_1"],
])("a forced command that says %j: it is shown, and %s is what to log in as", (words, user) => {
  const message = noShell(words);
  expect(message.split("\n")[0]).toContain(words);
  expect(message).toMatch(new RegExp(`\n {2}fix: .* write user: ${user} and become: sudo`));
});

test("all that a host said in place of a shell is shown", () => {
  expect(noShell("First line.", "Second line.")).toContain(
    "\n  the host said:\n    First line.\n    Second line.\n  fix: ",
  );
});

test.each<[string, RegExp]>([
  [
    "root@vps: Permission denied (publickey,keyboard-interactive).\n",
    /refused the login \(root.*\n.*check user and key: [^;]*; hearth/,
  ],
  ["root@vps: Permission denied (password).\n", /by key alone/],
  [
    "root@vps: Permission denied (keyboard-interactive).\n",
    /by key alone.*\n.*AuthenticationMethods publickey/,
  ],
  ["WARNING: Your password has expired.\nPassword change required but no TTY available.\n", /has expired/],
  [
    '"System is booting up. Unprivileged users are not permitted to log in yet."\nConnection closed\n',
    /lets nobody in for now/,
  ],
  ["There were too many logins for 'root'.\nConnection closed by remote host\n", /\n.*pam_limits/],
  ["exec request failed on channel 2\n", /\n.*nproc/],
  ["mux_client_request_session: session request failed: Session open refused by peer\n", /\n.*MaxSessions/],
  ["", /^vps \(vps\.example\.org\) ended the login without a message\n.*expired or is locked/],
])("a login that ended with %j has a cause and a fix", (words, expected) => {
  expect(explainLogin(connection, words).message).toMatch(expected);
});
