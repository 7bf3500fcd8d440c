import type { HostFile } from "../../../../provider/contract/release";
import { parseObservation } from "../../../../provider/machine/release/answer";
import { checkRelease } from "../../../../provider/machine/release/check";
import { shownDifference } from "../../../../provider/machine/release/diff";
import { sha256 } from "../../../../provider/machine/release/digest";
import { observedInputs } from "../../../../provider/machine/release/observed";
import { planLine } from "../../../../provider/machine/release/plan";
import { contentFiles, observeFiles } from "../../../../provider/machine/release/request";
import { type Properties, toProperties } from "../../../../provider/protocol/values";
import { sample } from "./sample";

const FILE = "/etc/web/main.yaml";
const RANDOM = "/etc/web/random";
const GIVEN = "/etc/web/given";
const filled = (more: Partial<HostFile> = {}): HostFile => ({
  content: 'a: "@TOKEN@"\n',
  mode: "0640",
  owner: "root",
  group: "web",
  fills: { "@TOKEN@": RANDOM },
  ...more,
});

function inputsWith(file: HostFile, value = "one"): Properties {
  const inputs = sample();
  const given = { mode: "0600", owner: "root", group: "root", source: { kind: "given" as const, value } };
  return toProperties({
    ...inputs,
    files: { ...inputs.files, [FILE]: file },
    secrets: { ...inputs.secrets, [GIVEN]: given },
  });
}

const faultsOf = (file: HostFile) => checkRelease({}, inputsWith(file)).faults;

test("a text with placeholders, and secrets of the release for them", () => {
  expect(faultsOf(filled())).toEqual([]);
});

test.each<[string, Partial<HostFile>, string]>([
  [
    "a placeholder that is not in the text",
    { content: "a: 1\n" },
    `files["${FILE}"].fills["@TOKEN@"]: is not in the text; write it where the secret belongs`,
  ],
  [
    "a secret of nobody",
    { fills: { "@TOKEN@": "/etc/web/other" } },
    `files["${FILE}"].fills["@TOKEN@"]: "/etc/web/other" is none of secrets; name one of them`,
  ],
  [
    "a file that everyone may read",
    { mode: "0644" },
    `files["${FILE}"].mode: lets everyone read a file with secrets; write "0640" or less`,
  ],
  [
    "a placeholder that text could contain by chance",
    { content: "a: token\n", fills: { token: RANDOM } },
    `files["${FILE}"].fills.token: "token" is not allowed; write a placeholder such as @TOKEN@: capital letters, digits and _`,
  ],
])("refused: %s", (_what, more, fault) => {
  expect(faultsOf(filled(more))).toEqual([fault]);
});

test("refused: a program that is needed before it can be filled", () => {
  const inputs = sample();
  const made = { mode: "0600", owner: "root", group: "root" };
  const news = toProperties({
    ...inputs,
    files: { ...inputs.files, [FILE]: filled() },
    secrets: { ...inputs.secrets, "/etc/web/made": { ...made, source: { kind: "command", argv: [FILE] } } },
  });
  expect(checkRelease({}, news).faults).toEqual([
    `files["${FILE}"].fills: this file is needed before it is filled; let it read the secret's file instead`,
  ]);
});

const checked = (file: HostFile, value?: string): Properties => {
  const { inputs, faults } = checkRelease({}, inputsWith(file, value));
  expect(faults).toEqual([]);
  return inputs;
};

test("the request names placeholders and secrets, and its content is the text with placeholders", () => {
  const inputs = { ...sample(), files: { [FILE]: filled() }, secrets: {} };
  const files = new Map(
    [...observeFiles(inputs, { urn: "u" }, {}), ...contentFiles(inputs)].map(({ name, content }) => [
      name,
      String(content),
    ]),
  );
  expect(files.get("request/fills")).toBe(`${FILE}\t@TOKEN@\t${RANDOM}\n`);
  expect(files.get("request/content/0")).toBe('a: "@TOKEN@"\n');
});

test("[A2] another value of a given secret restarts what reads the file that is filled with it, and no other file's readers", () => {
  const file = filled({ fills: { "@TOKEN@": GIVEN } });
  const [olds, news] = [checked(file), checked(file, "two")];
  expect(planLine(olds, news)).toBe("will restart web.service");
  expect(planLine(checked(filled()), checked(filled(), "two"))).toBe("will reload web.service");
});

test("a file that is not as it was filled shows as a difference, and nothing of its content", () => {
  const inputs = { ...sample(), files: { [FILE]: filled() } };
  const row = (digest: string) => ["file", FILE, "0640", "root", "web", digest];
  const seenAs = (digest: string) =>
    observedInputs(inputs, parseObservation([row(digest)])).files[FILE]?.content;
  expect(seenAs(sha256(filled().content))).toBe(filled().content);
  expect(seenAs("-")).toContain("(something else, not shown: it may contain secrets)\n");
});

test("[A9] a difference shows the texts with placeholders", () => {
  const { details } = shownDifference(checked(filled()), checked(filled({ content: 'b: "@TOKEN@"\n' })));
  expect([...details.keys()]).toContain(`files["${FILE}"].content`);
  expect(JSON.stringify([...details])).not.toMatch(/[0-9a-f]{32}"/);
});
