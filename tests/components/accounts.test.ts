import { fixture, runProgram } from "../support/program";

const accountsOf = async (name: string) => {
  const run = await runProgram(fixture(name));
  const accounts = run.resources.filter(({ type }) => type.endsWith(":Account"));
  return { run, accounts: new Map(accounts.map((account) => [account.name, account])) };
};

it("[V12] there is one account for each entry, after the homeserver", async () => {
  const { accounts, run } = await accountsOf("full");
  expect([...accounts.keys()].sort()).toEqual([
    "account-admin",
    "account-alice",
    "account-b.c_d=e-f",
    "account-gone",
  ]);
  for (const account of accounts.values()) expect(account.dependsOn).toContain("edge-1-homeserver");
  expect(Object.keys(run.outputs.userIds as object).sort()).toEqual(["admin", "alice", "b.c_d=e-f", "gone"]);
});

it("[V12] an account gets its flags and names unchanged", async () => {
  const { accounts } = await accountsOf("full");
  expect(accounts.get("account-gone")?.inputs).toMatchObject({ deactivated: true, admin: false });
  expect(accounts.get("account-admin")?.inputs).toMatchObject({ deactivated: false, admin: true });
  expect(accounts.get("account-alice")?.inputs).toMatchObject({
    displayName: "Alice",
    password: { kind: "generated" },
    homeserverUrl: "unix:/run/hearth-synapse/synapse.sock",
  });
});

it("[A9] only the value of a given password is a secret", async () => {
  const { accounts } = await accountsOf("full");
  expect(accounts.get("account-admin")?.inputs.password).toEqual({
    kind: "given",
    value: {
      value: "planted-secret-secrets-accounts-admin",
      "4dabf18193072939515e22adb298388d": expect.any(String),
    },
  });
});
