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
    "vps (vps.example.org) refused the log-in (root@vps.example.org: Permission denied (publickey).)",
  ],
  [
    "closed",
    "vps (vps.example.org) closed the connection before the log-in (Connection closed by 192.0.2.1 port 22)",
  ],
  [
    "config",
    "ssh's configuration for vps (vps.example.org) cannot be used (Can't open user config file ./nope: No such file or directory)",
  ],
])(
  "a log-in that failed by %s has a verdict of its own, a fix, and the way on without the host",
  (kind, verdict) => {
    const { code, message } = explainLogin(connection, RECORDED[kind]);
    const [first, second, ...rest] = message.split("\n");
    expect(code).toBe("UNAVAILABLE");
    expect(first).toBe(verdict);
    expect(second).toMatch(/^ {2}do: \S/);
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
  expect(message).toContain("the log-in to vps (vps.example.org:2222) failed (something new)");
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
  expect(second).toMatch(/^ {2}do: \S/);
});
