import { parseAnswer } from "../../../../provider/machine/release/answer";
import { failure } from "../../../../provider/machine/release/verdict";
import { sample } from "./sample";

/** The error for a log of these rows, line by line, with its code. */
function told(rows: string[][], overtime?: number): string[] {
  const log = parseAnswer(rows.map((row) => row.join("\t")).join("\n"));
  const { code, message } = failure(sample(), log, overtime);
  return [code, ...message.split("\n")];
}

const BEGUN = [
  ["step", "1", "13", "release web on this host"],
  ["step", "12", "13", "waiting until the services answer"],
];
const UNDONE = [["step", "13", "13", "putting the previous generation back"]];

test("a change that its operator stopped is rolled back and may be made again", () => {
  const rows = [["fail", "health", "cancelled"], ...UNDONE, ["undone", "ok", "generation 2 is active"]];
  expect(told([...BEGUN, ...rows, ["end", "failed"]])).toEqual([
    "ABORTED",
    'release "web" on vps was rolled back: step 12/13 health: cancelled',
    "  now: generation 2 is active",
    "  fix: run pulumi up again",
  ]);
});

test("a change that took too long says how long it had and how to give it more", () => {
  const rows = [["fail", "health", "cancelled"], ...UNDONE, ["undone", "ok", "generation 2 is active"]];
  expect(told([...BEGUN, ...rows, ["end", "failed"]], 90)).toEqual([
    "ABORTED",
    'release "web" on vps was rolled back: step 12/13 health: not done within 90 s',
    "  now: generation 2 is active",
    "  fix: run pulumi up again, or give it more time with customTimeouts",
  ]);
});

test("a change that failed by itself just before its time was over keeps its own reason", () => {
  const rows = [
    ["fail", "health", "web.service is failed"],
    ["undone", "ok", "generation 2 is active"],
  ];
  const [, first, , fix] = told([...BEGUN, ...rows, ["end", "failed"]], 90);
  expect(first).toContain("health: web.service is failed");
  expect(fix).toBe("  fix: correct the cause, then run pulumi up again");
});

test("a power cut in the middle of the swap: half of it may be there, and up clears up", () => {
  const rows = [
    ["fail", "interrupted", "the transaction was cut off (power cut, or killed)"],
    ["undone", "failed", "half of the change may be in place; the next apply undoes it first"],
    ["end", "failed"],
  ];
  expect(told([...BEGUN, ...rows])).toEqual([
    "INTERNAL",
    'release "web" on vps may be half changed: step 12/13 interrupted: the transaction was cut off (power cut, or killed)',
    "  now: half of the change may be in place; the next apply undoes it first",
    "  fix: run pulumi up again: it clears up first, then makes the change",
  ]);
});

test("what was cut off after the swap is told as done, and a host that went down as what it is", () => {
  const interrupted = ["fail", "interrupted", "the transaction was cut off (power cut, or killed)"];
  const complete = ["undone", "complete", "the change is in place"];
  expect(told([...BEGUN, interrupted, complete, ["end", "failed"]])).toEqual([
    "ABORTED",
    'release "web" on vps was changed, but not recorded: step 12/13 interrupted: the transaction was cut off (power cut, or killed)',
    "  now: the change is in place",
    "  fix: run pulumi up again: it finishes the records",
  ]);
  const later = ["undone", "later", "the files of generation 2 are back; the host is going down"];
  expect(told([...BEGUN, ["fail", "health", "cancelled"], ...UNDONE, later, ["end", "failed"]])).toEqual([
    "ABORTED",
    'release "web" on vps was rolled back, as its host went down: step 12/13 health: cancelled',
    "  now: the files of generation 2 are back; the host is going down",
    "  fix: run pulumi up again when vps is up",
  ]);
});

test("a way back that failed names the host to look at", () => {
  const rows = [
    ["fail", "health", "web.service is failed"],
    ["undone", "failed", "web.service is failed still"],
  ];
  const [code, first, , fix] = told([...BEGUN, ...rows, ["end", "failed"]]);
  expect(code).toBe("INTERNAL");
  expect(first).toMatch(/could neither be changed nor rolled back/);
  expect(fix).toMatch(/^ {2}fix: log in to vps and look/);
});

test("[W11] what Hearth did not make and is in the way is named all at once, each with its fix, and nothing was changed", () => {
  const obstacles = [
    [
      "obstacle",
      "port 443 is held by apache2 (pid 7, apache2.service)",
      "systemctl disable --now apache2.service",
    ],
    [
      "obstacle",
      "port 80 is held by apache2 (pid 7, apache2.service)",
      "systemctl disable --now apache2.service",
    ],
    ["obstacle", "the look at this host by sites failed: -", "-"],
  ];
  const refusal = [
    ["refuse", "occupied", "what Hearth did not make is in the way"],
    ["end", "refused"],
  ];
  expect(told([...BEGUN, ...obstacles, ...refusal])).toEqual([
    "FAILED_PRECONDITION",
    'release "web" on vps was refused (occupied): what Hearth did not make is in the way',
    "  - port 443 is held by apache2 (pid 7, apache2.service)",
    "  - port 80 is held by apache2 (pid 7, apache2.service)",
    "  - the look at this host by sites failed: -",
    "  now: nothing was changed on vps",
    "  fix: systemctl disable --now apache2.service",
  ]);
});
