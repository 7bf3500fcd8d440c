import { summaryOf } from "../../components/verification";
import { changed, fixture, runProgram } from "../support/program";

const checksOf = async (stack = fixture("full")) => {
  const run = await runProgram(stack);
  return run.resources.find(({ type }) => type.endsWith(":Verification"));
};

it("[V13] the checks run after everything they check, and again when any of it changed", async () => {
  const checks = await checksOf();
  expect(checks?.inputs.revisions).toEqual({
    postgres: "digest-of-edge-1-postgres",
    certificates: "digest-of-edge-1-certificates",
    homeserver: "digest-of-edge-1-homeserver",
    proxy: "digest-of-edge-1-proxy",
  });
  expect(checks?.dependsOn).toEqual(
    expect.arrayContaining([
      "edge-1-postgres",
      "edge-1-certificates",
      "edge-1-homeserver",
      "edge-1-proxy",
      "edge-1-account-alice",
    ]),
  );
});

it("[V7] [V13] they measure against the stack's own limits, in bytes", async () => {
  expect((await checksOf())?.inputs).toMatchObject({
    maxUploadBytes: 100 * 1024 ** 2,
    mediaLimitBytes: 20 * 1024 ** 3,
    database: { name: "synapse", role: "matrix-synapse", maxConnections: 8 },
    federationPort: true,
    delegation: "here",
  });
});

it("nothing is checked when the stack says so", async () => {
  expect(await checksOf(changed(fixture("minimal"), { "verification.enabled": false }))).toBeUndefined();
});

it("the stack's output is one line: how many passed, and what was not looked at", () => {
  const check = (name: string, result: "pass" | "not checked") => ({
    check: name,
    result,
    seen: "",
    fix: "",
  });
  expect(summaryOf([check("tls", "pass"), check("dns", "not checked"), check("keys", "pass")])).toBe(
    "2 passed; not checked: dns",
  );
  expect(summaryOf([check("tls", "pass")])).toBe("1 passed");
});
