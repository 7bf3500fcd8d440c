import { createHash } from "node:crypto";
import { parseAnswer, parseObservation } from "../../../../provider/machine/release/answer";
import { diffRelease } from "../../../../provider/machine/release/diff";
import { observedInputs } from "../../../../provider/machine/release/observed";
import { parseInputs } from "../../../../provider/machine/release/read";
import { wrapInputs } from "../../../../provider/machine/release/secrets";
import { revealAll } from "../../../../provider/protocol/values";
import { checkedSample } from "./sample";

const checked = checkedSample();
const inputs = parseInputs(checked);
const YAML = "/etc/web/main.yaml";
const UNIT = "/etc/systemd/system/web.service";
const given = inputs.secrets["/etc/web/given"]?.source;
const seal = given?.kind === "given" ? given.value : "";
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** What a host answers on which everything is as wanted; `rows` replace those with the same first two columns. */
function answer(...rows: string[][]): string {
  const good = [
    ["release", "i1", "3", "urn:x"],
    ["identity", "serverName", "example.org"],
    ["package", "nginx", "1.26.3-3"],
    ["package", "curl", "8.14.1-2"],
    ["repository", "vendor", "ready"],
    ["user", "web", "/var/lib/web", "www-data,adm,other"],
    ["directory", "/var/lib/web/data", "0750", "web", "web"],
    ["file", YAML, "0640", "root", "web", sha256("a: 1\nb: 2\n")],
    ["file", UNIT, "0644", "root", "root", sha256("[Service]\n")],
    ["secret", "/etc/web/random", "0600", "root", "root", `v1:aa:${"0".repeat(64)}`],
    ["secret", "/etc/web/given", "0600", "root", "root", seal],
    ["environment", "/opt/web/1", "ready"],
    ["task", "role", "there"],
    ["unit", "web.service", "enabled", "active", "running"],
    ["revision", "certificates", "one"],
    ["health", "answers", "ok"],
  ];
  const kept = good.filter((row) => !rows.some((other) => other[0] === row[0] && other[1] === row[1]));
  return [...kept, ...rows, ["end"]].map((row) => `${row.join("\t")}\n`).join("");
}

const observe = (...rows: string[][]) =>
  observedInputs(inputs, parseObservation(parseAnswer(answer(...rows)).rows));

/** What the engine would plan to fix. */
const planned = (...rows: string[][]) =>
  Object.fromEntries(
    [...diffRelease(wrapInputs(observe(...rows)), checked)].map(([path, { kind }]) => [path, kind]),
  );

test("[A1] a host that is as wanted has nothing to plan", () => {
  expect(planned()).toEqual({});
  expect(revealAll(wrapInputs(observe()))).toEqual(revealAll(checked));
});

const changedContent = Buffer.from("a: 1\nb: 9\n").toString("base64");

test.each<[string, string[], Record<string, string>]>([
  [
    "an edited file",
    ["file", YAML, "0640", "root", "web", "x", changedContent],
    { [`files["${YAML}"].content`]: "update" },
  ],
  [
    "another mode",
    ["file", YAML, "0600", "root", "web", sha256("a: 1\nb: 2\n")],
    { [`files["${YAML}"].mode`]: "update" },
  ],
  ["a deleted file", ["file", YAML, "-"], { [`files["${YAML}"]`]: "add" }],
  ["a removed package", ["package", "nginx", "-"], { "packages.nginx": "add" }],
  ["another version of a pinned package", ["package", "curl", "9.0-1"], { "packages.curl": "update" }],
  [
    "a removed directory",
    ["directory", "/var/lib/web/data", "-"],
    { 'directories["/var/lib/web/data"]': "add" },
  ],
  ["a deleted secret", ["secret", "/etc/web/random", "-"], { 'secrets["/etc/web/random"]': "add" }],
  [
    "a given secret with other content",
    ["secret", "/etc/web/given", "0600", "root", "root", "v1:bb:cc"],
    { 'secrets["/etc/web/given"].source.value': "update" },
  ],
  [
    "a stopped unit",
    ["unit", "web.service", "enabled", "inactive", "dead"],
    { 'units["web.service"].state': "update" },
  ],
  [
    "a failed unit",
    ["unit", "web.service", "enabled", "failed", "failed"],
    { 'units["web.service"].state': "update" },
  ],
  [
    "a unit that crashes again and again",
    ["unit", "web.service", "enabled", "activating", "auto-restart"],
    { 'units["web.service"].state': "update" },
  ],
  [
    "a disabled unit",
    ["unit", "web.service", "disabled", "active", "running"],
    { 'units["web.service"].enabled': "update" },
  ],
  [
    "a masked unit",
    ["unit", "web.service", "masked", "inactive", "dead"],
    { 'units["web.service"].enabled': "update", 'units["web.service"].state': "update" },
  ],
  ["another state of a task", ["task", "role", "missing"], { "tasks.role.want": "update" }],
  [
    "a half-built environment",
    ["environment", "/opt/web/1", "other"],
    { 'environments["/opt/web/1"]': "add" },
  ],
  ["a changed apt repository", ["repository", "vendor", "other"], { "repositories.vendor": "add" }],
  [
    "a revision the units were not restarted for",
    ["revision", "certificates", "-"],
    { "revisions.certificates": "add" },
  ],
  ["a user who left a group", ["user", "web", "/var/lib/web", "adm"], { "users.web.groups[1]": "add" }],
  ["a starting unit is on its way", ["unit", "web.service", "enabled", "activating", "start"], {}],
  ["a unit without [Install] cannot be enabled", ["unit", "web.service", "static", "active", "running"], {}],
])("[A3] %s shows as what repairs it", (_what, row, expected) => {
  expect(planned(row)).toEqual(expected);
});

test("an edited file shows its own text under the line that keeps the diff readable", () => {
  const content = observe(["file", YAML, "0640", "root", "web", "x", changedContent]).files[YAML]?.content;
  expect(content).toBe(`=== ${YAML}\na: 1\nb: 9\n`);
});

test.each<[string, string[]]>([
  ["too large", []],
  ["binary", [Buffer.from([0xff, 0xfe, 0, 1]).toString("base64")]],
])("a file that is %s shows as its digest", (_what, base64) => {
  const content = observe(["file", YAML, "0640", "root", "web", "abc", ...base64]).files[YAML]?.content;
  expect(content).toMatch(/^=== \/etc\/web\/main\.yaml\n\(something .*, SHA-256 abc\)\n$/);
});

test("an answer that was cut off has no end, a refusal is seen as one", () => {
  expect(parseAnswer("release\t-\nfile\t/etc").end).toBeUndefined();
  expect(parseAnswer("release\t-\nend\n").end).toBe("");
  expect(parseAnswer("refuse\tlocked\tby ann\nend\trefused\n")).toMatchObject({
    end: "refused",
    refusal: { code: "locked", text: "by ann" },
  });
});

test.each(["Alice", "EXAMPLE\\ann", "1004"])(
  "a file that %s owns by now is planned to be fixed, again after the state was kept",
  (owner) => {
    const kept = wrapInputs(observe(["file", YAML, "0640", owner, owner, sha256("a: 1\nb: 2\n")]));
    expect(parseInputs(kept).files[YAML]?.owner).toBe(owner);
  },
);
