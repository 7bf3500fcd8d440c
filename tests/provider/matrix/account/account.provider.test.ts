import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { eventually } from "../../../support/jobs";
import { type Homeserver, runHostProgram, startHomeserver } from "../homeserver";

interface Account {
  localpart: string;
  exists: boolean;
  would?: [action: string, settings: object][];
  passwordFile: string | null;
  admin: boolean;
  displayName: string | null;
  deactivated: boolean;
  existed?: boolean;
  did?: string[];
  notes?: string[];
}
type Answer = { status: string; message?: string; accounts?: Account[] };

let homeserver: Homeserver;
let state: string;

beforeAll(async () => {
  // Synapse's own limits would let this test log in five times.
  const generous = { per_second: 1000, burst_count: 1000 };
  homeserver = await startHomeserver("accounts.test", {
    bcrypt_rounds: 4,
    rc_login: { address: generous, account: generous },
  });
  state = await fs.mkdtemp(path.join(os.tmpdir(), "hearth-state-"));
  await apply({ localpart: "first" });
  await untilSettled();
});

afterAll(async () => {
  await homeserver?.stop();
  await fs.rm(state, { recursive: true, force: true });
});

function ask(action: "observe" | "apply", accounts: object[], change: object = {}): Promise<Answer> {
  const { socket, serverName, registrationSecret } = homeserver;
  const common = { homeserverUrl: `unix:${socket}`, serverName, registrationSecret, stateDirectory: state };
  return runHostProgram<Answer>("account.py", { ...common, action, accounts, ...change });
}

const DEFAULTS: { admin: boolean; displayName: string | null; deactivated: boolean; password: object } = {
  admin: false,
  displayName: null,
  deactivated: false,
  password: { kind: "generated" },
};

/** Applies, having looked before: what the look says that it would do is what is done. */
async function apply(account: Partial<typeof DEFAULTS> & { localpart: string }): Promise<Account> {
  const { value: _, ...password } = { value: "", ...(account.password ?? DEFAULTS.password) };
  const before = await ask("observe", [{ ...DEFAULTS, ...account, password }]);
  const answer = await ask("apply", [{ ...DEFAULTS, ...account }]);
  const [applied] = answer.accounts ?? [];
  if (applied === undefined) throw new Error(JSON.stringify(answer));
  const would = before.accounts?.[0]?.would?.map(([action]) => action);
  if (would !== undefined) {
    expect(would.filter((action) => action !== "compare password")).toEqual(applied.did);
  }
  return applied;
}

async function observe(localpart: string): Promise<Account | undefined> {
  return (await ask("observe", [{ ...DEFAULTS, localpart }])).accounts?.[0];
}

const given = (value: string, change: boolean) => ({ kind: "given", value, change });

async function logIn(user: string, password: string): Promise<{ status: number; token?: string }> {
  const body = JSON.stringify({
    type: "m.login.password",
    identifier: { type: "m.id.user", user },
    password,
  });
  const response = await fetch(`${homeserver.url}/_matrix/client/v3/login`, { method: "POST", body });
  const answer: { access_token?: string } = JSON.parse(await response.text());
  return { status: response.status, token: answer.access_token };
}

async function credential(): Promise<{ accessToken: string }> {
  return JSON.parse(await fs.readFile(path.join(state, "admin.json"), "utf8"));
}

interface AdminAnswer {
  errcode?: string;
  current_updates: object;
  devices: { device_id: string }[];
  users: { name: string }[];
}

async function admin(pathname: string, token?: string): Promise<AdminAnswer> {
  const authorization = `Bearer ${token ?? (await credential()).accessToken}`;
  const response = await fetch(homeserver.url + pathname, { headers: { authorization } });
  return JSON.parse(await response.text());
}

/** A fresh database builds some of its indexes in the background; until then it cannot activate accounts again. */
async function untilSettled(): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    const { current_updates } = await admin("/_synapse/admin/v1/background_updates/status");
    if (Object.keys(current_updates).length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("background updates did not end");
}

const password = async (localpart: string) =>
  (await fs.readFile(path.join(state, "accounts", `${localpart}.password`), "utf8")).trim();

test("[H7] an account is made with a password that only root can read and that works", async () => {
  const made = await apply({ localpart: "alice", displayName: "Alice Ø" });
  expect(made).toMatchObject({ existed: false, did: ["create"], displayName: "Alice Ø", admin: false });
  const file = await fs.stat(path.join(state, "accounts", "alice.password"));
  expect(file.mode & 0o777).toBe(0o600);
  expect((await logIn("alice", await password("alice"))).status).toBe(200);
});

test("[A1] the same account again: nothing is done, the password stays", async () => {
  const before = await password("alice");
  expect(await apply({ localpart: "alice", displayName: "Alice Ø" })).toMatchObject({
    existed: true,
    did: [],
    notes: [],
  });
  expect(await password("alice")).toBe(before);
});

test("[V12] admin right, display name, deactivated and back: each is seen and set", async () => {
  expect(await apply({ localpart: "alice", admin: true, displayName: "Al" })).toMatchObject({
    ...{ did: ["set admin", "set display name"], admin: true, displayName: "Al" },
  });
  expect(await observe("alice")).toMatchObject({ admin: true, displayName: "Al", deactivated: false });
  expect((await apply({ localpart: "alice", deactivated: true })).did).toEqual(["deactivate"]);
  expect(await observe("alice")).toMatchObject({ deactivated: true });
  expect((await logIn("alice", await password("alice"))).status).toBe(403);
  expect((await apply({ localpart: "alice", displayName: "Al" })).did).toContain("reactivate");
  expect((await logIn("alice", await password("alice"))).status).toBe(200);
});

test("[V12] a given password is set when the account is made and when it changes, not in between", async () => {
  expect((await apply({ localpart: "bob", password: given("first ü", false) })).did).toEqual(["create"]);
  const { token } = await logIn("bob", "first ü");
  expect((await apply({ localpart: "bob", password: given("first ü", false) })).did).toEqual([]);
  expect((await apply({ localpart: "bob", password: given("second", true) })).did).toEqual(["set password"]);
  expect((await logIn("bob", "second")).status).toBe(200);
  expect((await admin("/_matrix/client/v3/account/whoami", token)).errcode).toBe("M_UNKNOWN_TOKEN");
  await expect(fs.access(path.join(state, "accounts", "bob.password"))).rejects.toThrow();
});

test("an account that was there before is taken over with its password as it is", async () => {
  await fs.rm(path.join(state, "accounts", "bob.given"));
  await fs.rm(path.join(state, "accounts", "alice.password"));
  const bob = await apply({ localpart: "bob", password: given("third", false) });
  expect(bob).toMatchObject({ existed: true, did: [] });
  expect(bob.notes?.[0]).toMatch(/password was left as it is/);
  expect((await logIn("bob", "second")).status).toBe(200);
  const alice = await apply({ localpart: "alice", admin: false });
  expect(alice.notes).toEqual(["its password was not made by Hearth and stays as it is"]);
  await expect(password("alice")).rejects.toThrow();
});

test("[A9] a user who took the name of a job's account loses it before it becomes an admin's", async () => {
  const stranger = await apply({ localpart: "job", password: given("of a stranger", false) });
  expect(stranger).toMatchObject({ existed: false, admin: false });
  const { token } = await logIn("job", "of a stranger");
  const own = {
    localpart: "job",
    admin: true,
    password: { kind: "generated", reclaim: true },
  };
  expect(await apply(own)).toMatchObject({ existed: true, did: ["reclaim", "set admin"], notes: [] });
  expect((await logIn("job", "of a stranger")).status).toBe(403);
  expect((await admin("/_matrix/client/v3/account/whoami", token)).errcode).toBe("M_UNKNOWN_TOKEN");
  const mine = await password("job");
  expect((await logIn("job", mine)).status).toBe(200);
  expect(await apply(own)).toMatchObject({ did: [], notes: [] });
  expect(await password("job")).toBe(mine);
});

test("the name of an account that is to be deactivated from the start is taken, with no password", async () => {
  expect((await apply({ localpart: "gone", deactivated: true })).did).toEqual(["create", "deactivate"]);
  await expect(password("gone")).rejects.toThrow();
});

test("an account that is not there is told from one that cannot be looked at", async () => {
  expect(await observe("nobody")).toMatchObject({ exists: false });
  const answer = await ask("observe", [{ ...DEFAULTS, localpart: "alice" }], {
    homeserverUrl: "unix:/nowhere.sock",
  });
  expect(answer).toMatchObject({ status: "unavailable" });
  expect(answer.message).toMatch(/does not answer on unix:\/nowhere\.sock/);
});

describe("a stranger who listens where the homeserver would", () => {
  /** As `nobody`, on a port and on a socket in a folder of their own; everything that is sent there. */
  const STRANGER = `
import os, socket, sys, threading
folder = sys.argv[1]
os.setgid(65534); os.setuid(65534)
tcp, unix = socket.socket(), socket.socket(socket.AF_UNIX)
tcp.bind(("127.0.0.1", 0)); unix.bind(f"{folder}/theirs.sock")
def take(listener):
    listener.listen()
    while True:
        connection = listener.accept()[0]
        sys.stdout.write(repr(connection.recv(65536)) + "\\n"); sys.stdout.flush()
        connection.sendall(b"HTTP/1.1 401 Unauthorized\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
for listener in (tcp, unix):
    threading.Thread(target=take, args=(listener,)).start()
print("port", tcp.getsockname()[1], flush=True)
`;

  test("[R4] is sent nothing: not on a port, not on a socket, not through a link", async () => {
    // Made first: it is the kept token that a preview would send.
    await apply({ localpart: "alice" });
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), "hearth-stranger-"));
    const theirs = path.join(folder, "theirs");
    await fs.mkdir(theirs);
    await fs.chmod(folder, 0o755);
    await fs.chown(theirs, 65534, 65534);
    const child = spawn("python3", ["-c", STRANGER, theirs]);
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    try {
      expect(await eventually(async () => /port \d+/.test(said))).toBe(true);
      const port = /port (\d+)/.exec(said)?.[1];
      await fs.symlink(path.join(theirs, "theirs.sock"), path.join(folder, "link.sock"));
      // In a folder of root's, but not root's: as if it had been moved there.
      await fs.link(path.join(theirs, "theirs.sock"), path.join(folder, "moved.sock"));
      const places = [
        `http://127.0.0.1:${port}`,
        `unix:${path.join(folder, "link.sock")}`,
        `unix:${path.join(folder, "moved.sock")}`,
      ];
      for (const homeserverUrl of places) {
        const answer = await ask("observe", [{ ...DEFAULTS, localpart: "alice" }], { homeserverUrl });
        expect([homeserverUrl, answer.status]).toEqual([homeserverUrl, "unavailable"]);
      }
      expect(said.trim()).toMatch(/^port \d+(\nb'')*$/);
    } finally {
      child.kill("SIGKILL");
      await fs.rm(folder, { recursive: true });
    }
  });
});

describe("Hearth's own admin account", () => {
  const devices = async () => (await admin("/_synapse/admin/v2/users/@hearth:accounts.test/devices")).devices;

  test("is out of the way of people and has a credential that only root can read", async () => {
    const user = await admin("/_synapse/admin/v2/users/@hearth:accounts.test");
    expect(user).toMatchObject({ admin: true, user_type: "support", deactivated: false });
    expect((await fs.stat(path.join(state, "admin.json"))).mode & 0o777).toBe(0o600);
  });

  test("[A2] a rejected token: a look logs in nowhere and changes nothing, a change renews it on the same device", async () => {
    const before = { ...(await credential()), accessToken: "syt_no" };
    const known = await devices();
    await fs.writeFile(path.join(state, "admin.json"), JSON.stringify(before));
    const looked = await ask("observe", [{ ...DEFAULTS, localpart: "bob" }]);
    expect(looked).toMatchObject({
      status: "no credential",
      message: expect.stringMatching(/does not work any more/),
    });
    expect(await credential()).toEqual(before);
    await apply({ localpart: "bob", password: given("third", false) });
    expect((await credential()).accessToken).not.toBe("syt_no");
    expect(known).toHaveLength(1);
    expect((await devices()).map((one) => one.device_id)).toEqual(["HEARTH"]);
  });

  test("many calls at once use one token and do not log in again", async () => {
    const before = await credential();
    const answers = await Promise.all(Array.from({ length: 6 }, () => observe("bob")));
    expect(answers.every((answer) => answer?.exists)).toBe(true);
    expect(await credential()).toEqual(before);
  });

  test("looks at a homeserver that hangs do not wait for each other, and say in time that nothing is known", async () => {
    homeserver.hang(true);
    try {
      const began = Date.now();
      const answers = await Promise.all([1, 2, 3, 4].map(() => ask("observe", [{ localpart: "bob" }])));
      expect(answers.map(({ status }) => status)).toEqual(Array(4).fill("unavailable"));
      // One request's time. What waited for the others' lock took four times that, more than the provider waits.
      expect(Date.now() - began).toBeLessThan(40_000);
    } finally {
      homeserver.hang(false);
    }
    expect(await observe("bob")).toMatchObject({ exists: true });
  });

  test("a lost credential: looking changes nothing, the next change makes a new one", async () => {
    await fs.rm(path.join(state, "admin.json"));
    expect(await ask("observe", [{ ...DEFAULTS, localpart: "bob" }])).toMatchObject({
      status: "no credential",
    });
    await expect(credential()).rejects.toThrow();
    expect(await apply({ localpart: "bob", password: given("third", true) })).toMatchObject({
      did: ["set password"],
    });
    const { users } = await admin("/_synapse/admin/v2/users?deactivated=false&guests=false");
    const names = users.map((user) => user.name);
    expect(names.filter((name) => name.startsWith("@hearth"))).toEqual(["@hearth:accounts.test"]);
    expect(await devices()).toHaveLength(1);
  });

  test("that lost its admin right takes it back", async () => {
    const { token } = await logIn("first", await password("first"));
    await apply({ localpart: "first", admin: true });
    const response = await fetch(`${homeserver.url}/_synapse/admin/v1/users/@hearth:accounts.test/admin`, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}` },
      body: '{"admin":false}',
    });
    expect(response.status).toBe(200);
    expect(await apply({ localpart: "first", admin: true })).toMatchObject({ admin: true, did: [] });
  });

  test("a wrong registration secret or another host's credential is refused with what to do", async () => {
    const secret = path.join(state, "wrong.secret");
    await fs.writeFile(secret, "wrong");
    const elsewhere = { stateDirectory: path.join(state, "empty"), registrationSecret: secret };
    expect((await ask("apply", [], elsewhere)).message).toMatch(
      /does not accept the registration secret .* restart it/,
    );
    const missing = { stateDirectory: path.join(state, "empty2"), registrationSecret: `${secret}.not` };
    expect((await ask("apply", [], missing)).message).toMatch(/No such file/);
    expect((await ask("observe", [], { serverName: "other.test" })).message).toMatch(
      /belongs to @hearth:accounts\.test/,
    );
  });
});
