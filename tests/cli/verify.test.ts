import { complaint } from "../../cli/pulumi";
import type { StateResource } from "../../cli/resources";
import { status } from "../../cli/verify";
import { verificationIn } from "../../cli/verify/inputs";
import { table } from "../../cli/verify/table";
import type { CheckResult } from "../../provider/contract/matrix";

const RESULTS: CheckResult[] = [
  { check: "client API", result: "pass", seen: "client API up to v1.12", fix: "" },
  { check: "DNS example.org", result: "not checked", seen: "the resolver did not answer", fix: "run again" },
  { check: "metrics closed", result: "fail", seen: "metrics are public: /metrics (200)", fix: "close them" },
];

test("[V13] the table shows each result, the fix below it, and the count", () => {
  expect(table("example.org", RESULTS, { colour: false })).toBe(`ok   client API       client API up to v1.12
-    DNS example.org  the resolver did not answer
                      fix: run again
FAIL metrics closed   metrics are public: /metrics (200)
                      fix: close them

example.org: 1 passed, 1 failed, 1 not checked
`);
});

test("[V13] colours only on request, and lines no longer than the terminal", () => {
  expect(table("example.org", RESULTS, { colour: true })).toContain("\u001b[31mFAIL\u001b[0m metrics closed");
  expect(table("example.org", RESULTS, { colour: false })).not.toContain("\u001b");
  const lines = table("example.org", RESULTS, { colour: false, width: 50 }).split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(50);
  expect(lines).toContain("                      (200)");
  // Too narrow for a column of text: long lines instead of one word on each.
  expect(table("x", RESULTS, { colour: false, width: 30 })).toContain("metrics are public: /metrics (200)");
});

test("[V13] only a failed check sets the exit status 1", () => {
  expect(status(RESULTS)).toBe(1);
  expect(status(RESULTS.slice(0, 2))).toBe(0);
});

describe("the stack's inputs in an exported state", () => {
  const SIGNATURE = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
  const type = "hearth-host:index:Verification";

  test("belong to the Verification that is not about to be deleted", () => {
    const resources: StateResource[] = [
      { type: "hearth-host:index:Host", inputs: { serverName: "wrong" } },
      { type, delete: true, inputs: { serverName: "old" } },
      { type, inputs: { serverName: "example.org", __defaults: [], revisions: { homeserver: "abc" } } },
    ];
    expect(verificationIn(resources)).toEqual({ serverName: "example.org", revisions: {} });
    expect(verificationIn(resources.slice(0, 2))).toBeUndefined();
  });

  test("have their secrets unwrapped if the engine reveals them, and stay wrapped otherwise", () => {
    const secret = (value: object) => ({ connection: { sudoPassword: { ...SIGNATURE, ...value } } });
    expect(verificationIn([{ type, inputs: secret({ plaintext: '"p"' }) }])).toEqual({
      connection: { sudoPassword: "p" },
    });
    const closed = secret({ ciphertext: "v1:abc" });
    expect(verificationIn([{ type, inputs: closed }])).toEqual(closed);
  });
});

test.each([
  [
    "a plan without a diagnosis",
    JSON.stringify({ steps: [{ newState: { inputs: { a: "planted-secret" } } }] }),
  ],
  ["half a plan", '{"steps": [{"plaintext": "planted-secret"'],
  [
    "other diagnostics",
    JSON.stringify({ diagnostics: [{ severity: "warning", message: "planted-secret" }] }),
  ],
])(
  "when the engine fails, its standard output, which contains secrets in clear text, is not shown: %s",
  (_what, stdout) => {
    expect(complaint(stdout, "")).not.toContain("planted-secret");
    expect(complaint(stdout, "error: no such stack\n")).toBe("error: no such stack");
  },
);

test("when the engine fails, its errors are shown", () => {
  const stdout = JSON.stringify({ diagnostics: [{ severity: "error", message: "no such host\n" }] });
  expect(complaint(stdout, "")).toBe("no such host");
});
