import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { committedStacks, fixtureStacks } from "../fixtures/stacks";
import { DEBIAN_12, DEBIAN_13, type ProgramRun, runProgram } from "../support/program";
import { invariants } from "./invariants";
import { difference, normal } from "./normal";

// The program's requests to the engine, for every stack file in this repository: a change that should change nothing for users
// changes no byte here, and other changes show in their commit their effect on all stack files.
const RECORDS = join(__dirname, "records");
const WRITE = process.env.HEARTH_GOLDEN === "write";
const stacks = [...fixtureStacks(), ...committedStacks()];

const text = (value: unknown) => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

if (WRITE) {
  rmSync(RECORDS, { recursive: true, force: true });
  mkdirSync(RECORDS);
}

describe.each(stacks)("$name", (stack) => {
  let newer: ProgramRun;
  let older: ProgramRun;
  beforeAll(async () => {
    newer = await runProgram(stack, DEBIAN_13);
    older = await runProgram(stack, DEBIAN_12);
  });

  it("[A1] has the recorded requests each time, so that a second up changes nothing", () => {
    const [one, other] = [normal(newer), normal(older)];
    const now = `${text(one)}---\n# What is another way on Debian 12.\n${text(difference(one, other))}`;
    const file = join(RECORDS, `${stack.name}.yaml`);
    if (WRITE) writeFileSync(file, now);
    const recorded = existsSync(file) ? readFileSync(file, "utf8") : "";
    if (now !== recorded) throw new Error(changesOf(stack.name, now, recorded));
  });

  describe(`on ${DEBIAN_13.codename}`, () => invariants(stack, () => newer));
  describe(`on ${DEBIAN_12.codename}`, () => invariants(stack, () => older));
});

it("there is no record of a removed stack", () => {
  expect(readdirSync(RECORDS).sort()).toEqual(stacks.map(({ name }) => `${name}.yaml`).sort());
});

/** jest's own diff of two long texts takes minutes. */
function changesOf(name: string, now: string, recorded: string): string {
  const before = new Set(recorded.split("\n"));
  const changed = now.split("\n").filter((line) => !before.has(line));
  return (
    `${name}: not as recorded. If that is what you want: HEARTH_GOLDEN=write npx jest tests/golden --selectProjects unit, and look at the difference.\n` +
    `New lines, the first 40:\n${changed.slice(0, 40).join("\n")}`
  );
}
