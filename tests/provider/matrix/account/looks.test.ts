import { account } from "../../../../provider/matrix/account";
import { askPython } from "../../../../provider/matrix/python";
import { ProviderError } from "../../../../provider/protocol/errors";
import type { Call, State } from "../../../../provider/protocol/resource";
import type { Properties } from "../../../../provider/protocol/values";
import { TimedOut } from "../../../../provider/transport/failures";

jest.mock("../../../../provider/matrix/python");
const host = jest.mocked(askPython);

const said: string[] = [];
const say = (kind: string) => async (message: string) => {
  said.push(`${kind}: ${message}`);
};

function call(change: Partial<Call> = {}): Call {
  return {
    ...{ urn: "urn", name: "vps-account-alice", preview: false, offline: false, timeoutSeconds: 0 },
    log: { step: say("step"), info: say("info"), warning: say("warning"), debug: say("debug") },
    signal: new AbortController().signal,
    ...change,
  };
}

function inputs(localpart = "alice"): Properties {
  return {
    connection: { name: "vps", transport: "ssh", address: "192.0.2.1", become: "none" },
    ...{
      homeserverUrl: "unix:/run/hearth-synapse/synapse.sock",
      serverName: "example.org",
      scope: "system",
      registrationSecret: "/secret",
    },
    ...{ localpart, admin: false, displayName: "Alice", deactivated: false, password: { kind: "generated" } },
  };
}

function state(localpart = "alice"): State {
  const id = `@${localpart}:example.org`;
  return { id, inputs: inputs(localpart), outputs: { userId: id } };
}

const seen = (localpart: string, change: object = {}) => ({
  ...{ localpart, exists: true, admin: false, displayName: "Alice", deactivated: false },
  ...{ would: [], passwordFile: null, passwordPath: `/var/lib/hearth/accounts/${localpart}.password` },
  ...change,
});

function answer(...accounts: object[]): void {
  host.mockResolvedValue({ status: "ok", accounts });
}

beforeEach(() => {
  host.mockReset();
  said.length = 0;
});

test("[A1] an account as in the state comes back as it is; the accounts of a host are one question", async () => {
  answer(seen("alice"), seen("bob"), seen("carol"));
  const states = ["alice", "bob", "carol"].map(state);
  expect(await Promise.all(states.map((one) => account.read(call(), one)))).toEqual(states);
  expect(host).toHaveBeenCalledTimes(1);
  expect(host.mock.calls[0]?.[2]).toMatchObject({
    action: "observe",
    accounts: [{ localpart: "alice" }, { localpart: "bob" }, { localpart: "carol" }],
  });
});

test("[A3] what was changed by hand comes back as observed inputs and in words", async () => {
  answer(seen("alice", { admin: true }));
  const found = await account.read(call(), state());
  expect(found?.inputs).toEqual({ ...inputs(), admin: true });
  expect(found?.outputs.drift).toEqual(["made admin by hand"]);
});

test("[A1] a state of an earlier version, which knew files and root only, is looked at and differs in nothing", async () => {
  answer(seen("alice"));
  const { scope: _, registrationSecret, ...rest } = inputs();
  const old: Properties = { ...rest, registrationSecretPath: registrationSecret ?? "" };
  const found = await account.read(call(), { ...state(), inputs: old });
  expect(host.mock.calls[0]?.[2]).toMatchObject({ scope: "system", registrationSecret: "/secret" });
  expect(found?.inputs).toEqual(inputs());
  expect(account.diff(old, inputs()).details.size).toBe(0);
  await account.delete(call(), { ...state(), inputs: old });
});

test("an account that the homeserver does not know is gone", async () => {
  answer(seen("alice", { exists: false }));
  expect(await account.read(call(), state())).toBeUndefined();
});

test.each([
  ["the homeserver does not answer", async () => ({ status: "unavailable", message: "it does not answer" })],
  [
    "the host has no python3",
    async () => {
      throw new ProviderError("FAILED_PRECONDITION", "vps has no python3\n  fix: install python3 on it");
    },
  ],
  [
    "the look takes too long",
    async () => {
      throw new TimedOut({ name: "vps", transport: "ssh", become: "none" }, "account.py", 60);
    },
  ],
])(
  "never 'gone' when unsure: %s, so the last state is kept and a warning says so",
  async (_why, behaviour) => {
    host.mockImplementation(behaviour);
    expect(await account.read(call(), state())).toEqual(state());
    expect(said).toEqual([expect.stringMatching(/^warning: @alice:example\.org was not looked at, .*: .+/)]);
  },
);

test("[A2] Hearth's own access that is lost or rejected is planned as what up renews, not warned of permanently", async () => {
  host.mockResolvedValue({ status: "no credential", message: "the access token does not work any more" });
  const unhealthy = [
    "@alice:example.org on vps: not looked at, the access token does not work any more; pulumi up first makes or renews Hearth's own access: the admin account @hearth:example.org and /var/lib/hearth/admin.json",
  ];
  expect(await account.read(call(), state())).toEqual({ ...state(), unhealthy });
  expect(said).toEqual([]);
});

test("a password that was kept on the host only and is gone there is told, until an up has noted it", async () => {
  const passwordFile = "/var/lib/hearth/accounts/alice.password";
  const kept = { ...state(), outputs: { ...state().outputs, passwordFile } };
  answer(seen("alice", { passwordFile }));
  expect(await account.read(call(), kept)).toEqual(kept);
  expect(said).toEqual([]);
  answer(seen("alice"));
  expect(await account.read(call(), kept)).toEqual(state());
  expect(said).toEqual([
    expect.stringMatching(/^warning: @alice.* its password was kept in \S+ only, which is gone/),
  ]);
});

test("a host that cannot be reached stops the run", async () => {
  host.mockRejectedValue(new ProviderError("UNAVAILABLE", "vps cannot be reached"));
  await expect(account.read(call(), state())).rejects.toThrow("vps cannot be reached");
});

test("HEARTH_OFFLINE: nothing is asked", async () => {
  expect(await account.read(call({ offline: true }), state())).toEqual(state());
  await account.create(call({ offline: true, preview: true }), inputs());
  expect(host).not.toHaveBeenCalled();
});

const PLANS: [why: string, would: object[], found: object, sentence: string][] = [
  [
    "as the stack says",
    [],
    {},
    "exists already and is taken over; nothing about it changes, its password stays",
  ],
  [
    "deactivated once",
    [
      ["reactivate", {}],
      ["set admin", { admin: false }],
      ["set display name", { displayName: "Alice" }],
    ],
    { deactivated: true, admin: true },
    'exists already and is taken over; will be activated again, with a new password kept in /var/lib/hearth/accounts/alice.password, no admin any more, called "Alice"',
  ],
  [
    "not there",
    [["create", { admin: true, displayName: "Alice" }]],
    { exists: false },
    'will be made: as an admin, called "Alice", with a new password kept in /var/lib/hearth/accounts/alice.password',
  ],
];

test.each(PLANS)(
  "[A2] a preview says of an account that is %s all that the host's program would do",
  async (_why, would, found, sentence) => {
    answer(seen("alice", { would, ...found }));
    await account.create(call({ preview: true }), inputs());
    expect(said).toEqual([`info: @alice:example.org on vps: ${sentence}`]);
  },
);

test("[A2] where an account cannot be looked at, the preview says what is made and written in any case", async () => {
  host.mockResolvedValue({ status: "no credential", message: "no admin.json" });
  await account.create(call({ preview: true }), inputs());
  expect(said[0]).toMatch(
    /will be made \(its password is made on the host and kept in \/var\/lib\/hearth\/accounts\/alice\.password\); .* @hearth:example\.org and \/var\/lib\/hearth\/admin\.json$/,
  );
  host.mockRejectedValue(new ProviderError("UNAVAILABLE", "vps cannot be reached"));
  await account.create(call({ preview: true }), inputs());
  expect(said[1]).toMatch(/not looked at: vps cannot be reached$/);
  expect(host.mock.calls.every(([, , request]) => "action" in request && request.action === "observe")).toBe(
    true,
  );
});

test("[A2] deactivated and anything else at once: only what happens is a difference, and the host's plan is told", async () => {
  const news = { ...inputs(), deactivated: true, admin: true, displayName: "Al" };
  const { details } = account.diff(inputs(), news);
  expect([...details.keys()]).toEqual(["deactivated"]);
  const shut = { ...inputs(), deactivated: true };
  expect(account.diff(shut, news)).toEqual({ details: new Map(), silent: false });
  answer(seen("alice", { would: [["deactivate", {}]] }));
  await account.update(call({ preview: true }), state(), news);
  expect(said).toEqual([
    "info: @alice:example.org on vps: will be deactivated (nothing else about it changes)",
  ]);
});

test("[A2] what leaves the stack file, and how the homeserver is reached, is stored and no difference on the server", async () => {
  const { displayName: _, ...news } = inputs();
  const other = { ...news, homeserverUrl: "unix:/run/other/client.sock" };
  expect(account.diff(inputs(), other)).toEqual({ details: new Map(), silent: true });
  answer(seen("alice"));
  await account.update(call({ preview: true }), state(), other);
  expect(said).toEqual([
    "info: @alice:example.org on vps: nothing about it changes\n  its display name stays as it is",
  ]);
});

test("[A9] a given password is not sent in a preview", async () => {
  answer(seen("alice", { would: [["compare password", {}]] }));
  const { inputs: given } = account.check(
    {},
    { ...inputs(), password: { kind: "given", value: "correct horse" } },
  );
  await account.update(call({ preview: true }), { ...state(), inputs: given }, given);
  expect(host.mock.lastCall?.[2]).toMatchObject({
    accounts: [{ password: { kind: "given", change: false } }],
  });
  expect(JSON.stringify(host.mock.lastCall)).not.toContain("horse");
  expect(said[0]).toMatch(/given the stack's password, if another one was last set from this host$/);
});

test("a change that the homeserver refuses fails with who, where, why and what to do", async () => {
  host.mockResolvedValue({ status: "refused", message: "the rate limit refuses @hearth" });
  await expect(account.create(call(), inputs())).rejects.toThrow(
    /^account @alice:example\.org on vps could not be made as the stack says: the rate limit refuses @hearth\n {2}fix: /,
  );
});

test("[V12] another given password is sent as a change, the same one is not; both only in the request", async () => {
  answer({ ...seen("alice"), existed: true, did: ["set password"], notes: [] });
  const given = (value: string, olds: Properties = {}) =>
    account.check(olds, { ...inputs(), password: { kind: "given", value } }).inputs;
  const first = given("correct horse");
  const kept = { ...state(), inputs: first };
  await account.update(call(), kept, given("correct horse", first));
  expect(host.mock.lastCall?.[2]).toMatchObject({
    accounts: [{ password: { value: "correct horse", change: false } }],
  });
  await account.update(call(), kept, given("battery staple", first));
  expect(host.mock.lastCall?.[2]).toMatchObject({
    accounts: [{ password: { value: "battery staple", change: true } }],
  });
  expect(said.join()).not.toMatch(/horse|staple/);
});

test.each([
  ["root's records, through sudo", { scope: "system" }, "/var/lib/hearth", "sudo cat"],
  ["the login user's own", { scope: "user" }, "/home/debian/.local/state/hearth", "cat"],
])(
  "[H7] a new account: one line says where its password is and what shows it: %s",
  async (_whose, scope, folder, cat) => {
    const passwordFile = `${folder}/accounts/alice.password`;
    answer({ ...seen("alice"), existed: false, did: ["create"], notes: [], passwordFile });
    const connection = {
      name: "home",
      transport: "ssh",
      address: "pc.lan",
      user: "debian",
      port: 2222,
      become: "sudo",
    };
    await account.create(call(), { ...inputs(), ...scope, connection });
    expect(said).toEqual([
      `info: @alice:example.org was made; its password is kept on home only. To see it: ssh -p 2222 debian@pc.lan ${cat} ${passwordFile}`,
    ]);
  },
);

test("deleting the resource asks the host nothing and says how to shut the account", async () => {
  await account.delete(call(), state());
  expect(host).not.toHaveBeenCalled();
  expect(said).toEqual([
    expect.stringMatching(/^info: @alice:example\.org stays on the homeserver.*deactivated: true/),
  ]);
});
