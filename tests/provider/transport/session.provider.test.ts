import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection } from "../../../provider/contract/connection";
import type { HostCall } from "../../../provider/transport/session";
import { hostSession } from "../../../provider/transport/session";
import { controlPath } from "../../../provider/transport/ssh";
import { downHost, type Host, onHost, upHost } from "../../../sandbox";
import { eventually } from "../../support/jobs";
import { ProviderClient } from "../../support/provider-client";

// For this run only: another run at the same time has a host of its own.
const NAME = `transport-${process.pid}`;
let host: Host;
let folder: string;
let good: Connection;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "hearth-transport-"));
  host = await upHost({ name: NAME });
  good = {
    name: "vps",
    transport: "ssh",
    address: host.address,
    user: "root",
    identityFile: host.identityFile,
    knownHostsFile: host.knownHostsFile,
    become: "none",
  };
  await addUser("asks", "right password");
  await onHost(host, ["usermod", "--append", "--groups", "sudo", "asks"]);
  await addUser("powerless", "no matter");
  await addUser("shellless", "no matter");
  await onHost(host, ["usermod", "--shell", "/bin/false", "shellless"]);
  await prepareOddUsers();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await downHost(NAME);
});

/** A user whom the sandbox's key opens. */
async function addUser(name: string, password: string): Promise<void> {
  const script = `id "$1" 2>/dev/null || useradd --create-home --shell /bin/bash "$1"
printf '%s:%s\\n' "$1" "$2" | chpasswd
install -d -m 0700 -o "$1" "/home/$1/.ssh"
install -m 0600 -o "$1" /root/.ssh/authorized_keys "/home/$1/.ssh/authorized_keys"`;
  await onHost(host, ["sh", "-c", script, "sh", name, password]);
}

const NOISY = `echo Welcome
printf 'end\tok {"status": "ok"}'
echo 'sudo: a password is required' >&2
trap 'echo Bye' EXIT
`;
/** As cloud images have it before root's key. */
const FORCED = `echo 'Please login as the user \\"debian\\" rather than the user \\"root\\".';exit 142`;
const SUDOERS = `noisy,few,one,notty ALL=(ALL) NOPASSWD: ALL
lister ALL=(ALL) NOPASSWD: /bin/ls
Defaults:notty requiretty
`;

/** Users whom hosts of the world greet, send elsewhere, or give few sessions. */
async function prepareOddUsers(): Promise<void> {
  for (const name of ["noisy", "forced", "mute", "expired", "few", "one", "notty", "lister"])
    await addUser(name, "no matter");
  const write = (file: string, text: string) => writeFileSync(join(host.root, file), text, { mode: 0o644 });
  const force = (name: string, command: string) => {
    const file = `home/${name}/.ssh/authorized_keys`;
    write(file, readFileSync(join(host.root, file), "utf8").replace(/^/gm, `command="${command}" `).trim());
  };
  write("home/noisy/.bashrc", NOISY);
  force("forced", FORCED);
  force("mute", "printf '\\033[2Jgone'");
  write("etc/ssh/sshd_config.d/few.conf", "Match User few\nMaxSessions 2\nMatch User one\nMaxSessions 1\n");
  write("etc/sudoers.d/odd", SUDOERS);
  await onHost(host, ["chage -d 0 expired && systemctl reload ssh"]);
}

const run = (change: Partial<Connection> = {}, call: Partial<HostCall> = {}) =>
  hostSession({ ...good, ...change }).run({
    interpreter: "sh",
    program: "machine/programs/facts.sh",
    asRoot: true,
    files: [],
    signal: new AbortController().signal,
    timeoutSeconds: 30,
    ...call,
  });

/** The verdict of a call that must fail. */
const verdict = async (change: Partial<Connection>) => {
  const message = await run(change).then(
    (answer) => `it worked: ${answer.stdout}`,
    (error: Error) => error.message,
  );
  return message.split("\n")[0];
};

const logIns = async () => {
  const journal = await onHost(host, ["journalctl --sync; journalctl -u ssh -o cat --no-pager"]);
  return journal.stdout.split("\n").filter((line) => line.startsWith("Accepted publickey for root")).length;
};

/** Waits until the shared connection has ended by itself, which it does once nobody has used it for some seconds. */
const connectionEnds = () => eventually(async () => !existsSync(controlPath(good)), 60);

test("many calls at once, also from two processes one after the other, are one login; seconds later nothing is left", async () => {
  expect(await connectionEnds()).toBe(true);
  const before = await logIns();
  const second = await ProviderClient.start();
  await Promise.all(Array.from({ length: 20 }, () => run()));
  const urn = "urn:pulumi:test::hearth::hearth-host:index:Host::vps";
  const { outputs } = await second.create(urn, { connection: { ...good } }, true);
  expect(outputs).toMatchObject({ facts: { distribution: "debian" } });
  expect(await second.stop()).toBe(0);
  expect(existsSync(controlPath(good))).toBe(true);
  // One for looking at the journal each time, one for all the rest.
  expect((await logIns()) - before).toBe(2);
  expect(await connectionEnds()).toBe(true);
});

test("a call leaves no directory on the host, whether it ends or is cut off", async () => {
  await run();
  const abort = new AbortController();
  const running = run({}, { signal: abort.signal });
  setTimeout(() => abort.abort(), 20);
  await running.catch(() => undefined);
  const left = async () => (await onHost(host, ["ls -d /run/hearth.* 2>/dev/null || true"])).stdout;
  expect(await eventually(async () => (await left()) === "", 60)).toBe(true);
});

test("a connection that is closed under us is opened again", async () => {
  await run();
  await onHost(host, [
    "sh",
    "-c",
    "pkill -f 'sshd-session: root@notty' || pkill -f 'sshd: root@notty' || true",
  ]).catch(() => undefined);
  expect((await run()).status).toBe(0);
});

test("a shared connection that ends before several calls at once is opened again for all of them", async () => {
  await run();
  execFileSync("ssh", ["-O", "exit", "-o", `ControlPath=${controlPath(good)}`, host.address], {
    stdio: "ignore",
  });
  const answers = await Promise.all(Array.from({ length: 6 }, () => run()));
  expect(answers.map(({ status }) => status)).toEqual([0, 0, 0, 0, 0, 0]);
});

describe("what goes wrong has one message", () => {
  test("nothing listens", async () => {
    expect(await verdict({ port: 1 })).toBe(`vps (${host.address}:1) refused the connection`);
  });

  test("the name does not exist", async () => {
    expect(await verdict({ address: "no-such-host.invalid" })).toBe(
      "the name of vps (no-such-host.invalid) was not found",
    );
  });

  test("the host key is not known: enforced whatever ssh's own configuration says", async () => {
    const knownHostsFile = join(folder, "empty");
    const sshConfigFile = join(folder, "lax");
    writeFileSync(knownHostsFile, "");
    writeFileSync(sshConfigFile, "Host *\n  StrictHostKeyChecking no\n");
    expect(await verdict({ knownHostsFile, sshConfigFile })).toBe(
      `the host key of vps (${host.address}) is not known`,
    );
    expect(readFileSync(knownHostsFile, "utf8")).toBe("");
  });

  test("the host key changed", async () => {
    const key = newKey("other");
    const knownHostsFile = join(folder, "changed");
    writeFileSync(knownHostsFile, `${host.address} ${readFileSync(`${key}.pub`, "utf8")}`);
    expect(await verdict({ knownHostsFile })).toBe(
      `vps (${host.address}) shows another host key than the known one; nothing was sent to it`,
    );
  });

  test("the key opens nothing", async () => {
    expect(await verdict({ identityFile: newKey("stranger") })).toMatch(
      /refused the login \(root@.*Permission denied/,
    );
  });

  test("the user has no shell", async () => {
    expect(await verdict({ user: "shellless" })).toMatch(
      /^the login user on vps .* has no usable shell \(status 1: /,
    );
  });
});

describe("sudo", () => {
  const become = "sudo" as const;

  test("takes the right password, without one it says what is missing, and a wrong one is named as wrong", async () => {
    expect((await run({ user: "asks", become, sudoPassword: "right password" })).stdout).toContain(
      "fact\tdistribution",
    );
    expect(await verdict({ user: "asks", become })).toBe(
      "sudo on vps asks for a password and the stack holds none",
    );
    expect(await verdict({ user: "asks", become, sudoPassword: "wrong" })).toBe(
      "sudo on vps did not take the password",
    );
  });

  test("a user who may not", async () => {
    expect(await verdict({ user: "powerless", become, sudoPassword: "no matter" })).toBe(
      "powerless may not use sudo on vps",
    );
  });

  test("a user who needs none gets through, password or not", async () => {
    for (const sudoPassword of [undefined, "not asked for"]) {
      expect((await run({ user: "debian", become, sudoPassword })).stdout).toContain("fact\tdistribution");
    }
  });
});

describe("hosts as they are", () => {
  test("a shell that greets everybody: the answer is the program's alone, with sudo and without", async () => {
    const answers = await Promise.all([
      run({ user: "noisy" }, { asRoot: false }),
      run({ user: "noisy", become: "sudo" }),
    ]);
    // As an ordinary user it has nothing to say but that.
    expect(answers.map(({ stdout }) => stdout.split("\t")[0])).toEqual(["refuse", "fact"]);
    for (const { outside, stdout } of answers) {
      expect(outside).toContain("Welcome");
      expect(stdout).toMatch(/^end.*\n$/m);
      expect(stdout).not.toMatch(/Welcome|Bye|status/);
    }
  });

  test.each([
    ["few", 2],
    ["one", 1],
  ])("sshd that opens few sessions (%s: MaxSessions %i) answers everybody in turn", async (user) => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => run({ user, become: "sudo" })));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(0));
  });

  test("a forced command's words are shown, and where they name a user, that one is what is advised", async () => {
    const failed = run({ user: "forced" });
    await expect(failed).rejects.toThrow(/no usable shell \(status 142: Please login as the user "debian"/);
    await expect(failed).rejects.toThrow(/\n {2}fix: .* write user: debian and become: sudo/);
    expect(await verdict({ user: "mute" })).toMatch(/no usable shell \(status 0: \\u001b\[2Jgone\)$/);
  });

  test("a password that has expired is named", async () => {
    expect(await verdict({ user: "expired" })).toMatch(/password or account on vps .* has expired/);
  });

  test("sudo that wants a terminal: the one line for sudoers", async () => {
    const failed = run({ user: "notty", become: "sudo" });
    await expect(failed).rejects.toThrow("wants a terminal from notty (requiretty)");
    await expect(failed).rejects.toThrow("Defaults:notty !requiretty");
  });

  test("sudo that allows some commands only", async () => {
    expect(await verdict({ user: "lister", become: "sudo", sudoPassword: "no matter" })).toBe(
      "lister may not use sudo on vps",
    );
  });
});

test("[A9] neither the password nor a file's content shows in a process list, here or there", async () => {
  const seen: string[] = [];
  const look = async () => {
    seen.push(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }));
    seen.push((await onHost(host, ["ps", "-eo", "args"])).stdout);
  };
  const files = [{ name: "request/planted", content: "planted-content" }];
  const running = run({ user: "asks", become: "sudo", sudoPassword: "right password" }, { files });
  await Promise.all([running, look(), look()]);
  expect(seen.join("")).not.toMatch(/right password|planted-content/);
});

function newKey(name: string): string {
  const file = join(folder, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
  return file;
}
