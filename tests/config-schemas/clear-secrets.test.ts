import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clearSecretFaults, clearSecrets, holdsValues } from "../../config-schemas/clear-secrets";

const MIXED = `config:
  hearth:secrets:
    accounts:
      alice: { secure: v1:x }
      b.c: in clear
    sudo: { vps: 1234 }
`;

test.each([
  [
    "one encrypted, two in clear text next to it",
    MIXED,
    [
      ["secrets", "accounts", "b.c"],
      ["secrets", "sudo", "vps"],
    ],
  ],
  ["all encrypted", "config: { hearth:secrets: { accounts: { alice: { secure: v1:x } } } }", []],
  ["the whole key encrypted", "config: { hearth:secrets: { secure: v1:x } }", []],
  ["empty", "config: { hearth:secrets: { accounts: {}, sudo: null } }", []],
  ["none", "config: { hearth:proxy: { host: vps } }", []],
  ["no configuration", "encryptionsalt: x", []],
])("[V4] secrets in clear are found in a stack file: %s", (_what, text, places) => {
  expect(clearSecrets(text)).toEqual(places);
});

test("[V4] a secret in clear text is refused and not shown, even when the engine marks the key as secret", () => {
  const project = mkdtempSync(join(tmpdir(), "hearth-clear-"));
  try {
    writeFileSync(join(project, "Pulumi.vps.yaml"), MIXED);
    const faults = clearSecretFaults(project, "Pulumi.vps.yaml", true);
    expect(faults.map(({ path }) => path.join("/"))).toEqual(["secrets/accounts/b.c", "secrets/sudo/vps"]);
    expect(JSON.stringify(faults)).not.toMatch(/in clear"|1234/);
  } finally {
    rmSync(project, { recursive: true });
  }
});

test("without the stack file at its usual path, the engine's mark decides", () => {
  expect(clearSecretFaults("/nowhere", "Pulumi.vps.yaml", false)).toHaveLength(1);
  expect(clearSecretFaults("/nowhere", "Pulumi.vps.yaml", true)).toEqual([]);
  expect(clearSecretFaults("/nowhere", "Pulumi.vps.yaml", undefined)).toEqual([]);
});

test.each([
  ["no key at all", undefined, false],
  ["what is left when the last secret is removed", { tunnel: {} }, false],
  ["a value", { tunnel: { authKey: "tskey" } }, true],
])("whether there are secrets to look at: %s", (_what, value, holds) => {
  expect(holdsValues(value)).toBe(holds);
});
