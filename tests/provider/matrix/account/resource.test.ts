import { account } from "../../../../provider/matrix/account";
import { type Properties, secret, secretPaths } from "../../../../provider/protocol/values";
import { seal } from "../../../../provider/sealed";

const good = {
  connection: { name: "vps", transport: "ssh", address: "192.0.2.1", become: "none" },
  homeserverUrl: "unix:/run/hearth-synapse/synapse.sock",
  serverName: "example.org",
  scope: "system",
  registrationSecret: "/etc/hearth/homeserver/secrets/registration",
  ...{ localpart: "alice", admin: false, deactivated: false, password: { kind: "generated" } },
};

test("an account as the program makes it is accepted", () => {
  expect(account.check({}, good).faults).toEqual([]);
  expect(account.check({}, { ...good, displayName: "Alice Ø" }).faults).toEqual([]);
});

test.each<[string, object, RegExp]>([
  ["Hearth's own account", { localpart: "hearth" }, /^localpart: "hearth" is Hearth's own account/],
  [
    "upper case",
    { localpart: "Alice" },
    /^localpart: "Alice" is not allowed; write a localpart of lower-case/,
  ],
  ["a path in the file name of the password", { localpart: "../root" }, /^localpart: "\.\.\/root"/],
  ["an endless localpart", { localpart: "a".repeat(201) }, /is longer than 200 characters/],
  ["an empty display name", { displayName: "" }, /^displayName: "" is not allowed/],
  [
    "another kind of password",
    { password: { kind: "none" } },
    /^password: kind "none" is none of generated, given/,
  ],
  ["a remote homeserver", { homeserverUrl: "https://matrix.org/" }, /^homeserverUrl: /],
])("%s is refused with the path and what is allowed", (_what, change, message) => {
  expect(account.check({}, { ...good, ...change }).faults.join("\n")).toMatch(message);
});

test("[A9] a given password is replaced by a seal that stays the same while the password does", () => {
  const given = (value: string) => ({ ...good, password: { kind: "given", value } });
  const first = account.check({}, given("correct horse"));
  expect(JSON.stringify(first)).not.toContain("correct horse");
  expect(secretPaths(first.inputs)).toEqual(["password.value"]);
  expect(account.check(first.inputs, given("correct horse")).inputs).toEqual(first.inputs);
  const other = account.check(first.inputs, given("battery staple"));
  expect([...account.diff(first.inputs, other.inputs).details.keys()]).toEqual(["password.value"]);
});

test("[A9] a refused password is not in the message", () => {
  const faults = account.check({}, { ...good, password: { kind: "given", value: "tab\there" } }).faults;
  expect(faults).toHaveLength(1);
  expect(faults.join()).not.toContain("here");
});

test("another address of the host is no change of its accounts; another host is another account", () => {
  const moved = { ...good, connection: { ...good.connection, address: "192.0.2.2" } };
  expect(account.diff(good, moved).details.size).toBe(0);
  const elsewhere = { ...good, connection: { ...good.connection, name: "home" } };
  expect([...account.diff(good, elsewhere).details]).toEqual([
    ["connection.name", { kind: "update", replace: true }],
  ]);
  const renamed = { ...good, localpart: "bob" };
  expect([...account.diff(good, renamed).details]).toEqual([
    ["localpart", { kind: "update", replace: true }],
  ]);
});

test("an account whose change was cancelled before it began says so, not that the provider is at fault", async () => {
  const silent = async () => undefined;
  const call = {
    urn: "urn:x",
    name: "vps-account-alice",
    preview: false,
    offline: false,
    log: { step: silent, info: silent, warning: silent, debug: silent },
    signal: AbortSignal.abort(),
    timeoutSeconds: 0,
  };
  await expect(account.create(call, good)).rejects.toMatchObject({
    code: "ABORTED",
    message: "cancelled before account @alice:example.org was changed",
  });
});

test("a state with an older seal of the same password plans no change; a new password does", () => {
  const given = (value: string) => ({ ...good, password: { kind: "given", value } });
  const old = given(secret(seal("correct horse")) as never) as Properties;
  const same = account.check(old, given("correct horse")).inputs;
  expect(JSON.stringify(same)).toContain('"v2:');
  expect([...account.diff(old, same).details.keys()]).toEqual([]);
  const other = account.check(old, given("battery staple")).inputs;
  expect([...account.diff(old, other).details.keys()]).toEqual(["password.value"]);
});
