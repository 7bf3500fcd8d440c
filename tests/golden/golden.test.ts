import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { committedStacks, fixtureStacks } from "../fixtures/stacks";
import { DEBIAN_12, DEBIAN_13, runProgram } from "../support/program";
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

it.each(stacks)("$name has the recorded requests", async (stack) => {
  const [newer, older] = [
    normal(await runProgram(stack, DEBIAN_13)),
    normal(await runProgram(stack, DEBIAN_12)),
  ];
  const now = `${text(newer)}---\n# What is another way on Debian 12.\n${text(difference(newer, older))}`;
  const file = join(RECORDS, `${stack.name}.yaml`);
  if (WRITE) writeFileSync(file, now);
  const recorded = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (now === recorded) return;
  // jest's own diff of two long texts takes minutes.
  const [lines, before] = [now.split("\n"), new Set(recorded.split("\n"))];
  const changed = lines.filter((line) => !before.has(line)).slice(0, 40);
  throw new Error(
    `${stack.name}: not as recorded. If that is what you want: HEARTH_GOLDEN=write npx jest tests/golden --selectProjects unit, and look at the difference.\n` +
      `New lines, the first 40:\n${changed.join("\n")}`,
  );
});

it("there is no record of a removed stack", () => {
  expect(readdirSync(RECORDS).sort()).toEqual(stacks.map(({ name }) => `${name}.yaml`).sort());
});
