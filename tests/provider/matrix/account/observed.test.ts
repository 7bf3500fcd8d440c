import type { AccountInputs } from "../../../../provider/contract/matrix";
import type { Observed } from "../../../../provider/matrix/account/host";
import { storedAccountShape } from "../../../../provider/matrix/account/inputs";
import { driftOf, observedInputs } from "../../../../provider/matrix/account/observed";
import { parse } from "../../../../provider/protocol/shape";
import { toProperties } from "../../../../provider/protocol/values";

const desired: AccountInputs = {
  connection: { name: "vps", transport: "local", become: "none" },
  homeserverUrl: "unix:/run/hearth-synapse/synapse.sock",
  serverName: "example.org",
  scope: "system",
  registrationSecret: "/etc/secret",
  ...{
    localpart: "alice",
    admin: false,
    displayName: "Alice",
    deactivated: false,
    password: { kind: "generated" },
  },
};
const seen: Observed = {
  localpart: "alice",
  exists: true,
  admin: false,
  displayName: "Alice",
  deactivated: false,
  passwordFile: null,
};

test.each<[string, Partial<AccountInputs>, Partial<Observed>, string[], object]>([
  ["as the stack says", {}, {}, [], { admin: false, deactivated: false, displayName: "Alice" }],
  [
    "made admin",
    {},
    { admin: true },
    ["made admin by hand"],
    { admin: true, deactivated: false, displayName: "Alice" },
  ],
  [
    "renamed",
    {},
    { displayName: "Al" },
    ['display name changed by hand to "Al"'],
    { admin: false, deactivated: false, displayName: "Al" },
  ],
  [
    "renamed, but the stack sets no name",
    { displayName: undefined },
    { displayName: "Al" },
    [],
    { admin: false, deactivated: false },
  ],
  [
    "deactivated, whatever else changed",
    {},
    { deactivated: true, admin: true, displayName: null },
    ["deactivated by hand"],
    { admin: false, deactivated: true, displayName: "Alice" },
  ],
  [
    "activated",
    { deactivated: true },
    {},
    ["activated by hand"],
    { admin: false, deactivated: false, displayName: "Alice" },
  ],
])("[A3] drift of an account that was %s", (_what, wanted, found, drift, inputs) => {
  const account = { ...desired, ...wanted };
  expect(driftOf(account, { ...seen, ...found })).toEqual(drift);
  expect(observedInputs(account, { ...seen, ...found })).toEqual(inputs);
});

test.each([null, "", "two\nlines and a\ttab", "x".repeat(400)])(
  "[A3] a name that a user chose can be read back from the state: %j",
  (displayName) => {
    const read = { ...toProperties(desired), ...observedInputs(desired, { ...seen, displayName }) };
    expect(parse(storedAccountShape, read, "the inputs").displayName).toBe(displayName ?? "");
  },
);
