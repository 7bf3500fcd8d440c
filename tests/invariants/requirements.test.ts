import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

// The requirements and faults that tests prove, by the IDs in their titles. A test that is moved or merged keeps its IDs; a
// new ID is added here with its first test.
const PROVED = [
  ...["A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10"],
  ...["B7", "B8", "B9", "B15", "F9", "G3", "G6", "G11", "G13"],
  ...["H1", "H2", "H3", "H4", "H5", "H6", "H7", "H8", "H9", "H10", "H11", "H12", "H13", "H14", "H15"],
  ...["R1", "R2", "R3", "R4", "R7", "R8", "S4", "S6"],
  ...["V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9", "V10", "V11", "V12", "V13", "V15"],
  ...["W1", "W2", "W3", "W4", "W5", "W6", "W8", "W10", "W11"],
];

const TESTS = join(__dirname, "..");

/** Every ID in a title, or in a row of a table whose first text is one, with the tiers of its files. */
function claimed(): Map<string, Set<string>> {
  const tiers = new Map<string, Set<string>>();
  const files = readdirSync(TESTS, { recursive: true, encoding: "utf8" });
  for (const file of files.filter(
    (name) => name.endsWith(".test.ts") && !name.endsWith("requirements.test.ts"),
  )) {
    const tier = /\.(provider|e2e|deep)\.test\.ts$/.exec(file)?.[1] ?? "unit";
    for (const [, id = ""] of readFileSync(join(TESTS, file), "utf8").matchAll(/\[([A-Z]\d+)\]/g))
      tiers.set(id, (tiers.get(id) ?? new Set()).add(tier));
  }
  return tiers;
}

it('every listed requirement has a test that names it, in a tier that "npm test" runs', () => {
  const tiers = claimed();
  const runs = (id: string) => [...(tiers.get(id) ?? [])].some((tier) => tier !== "deep");
  expect(PROVED.filter((id) => !runs(id))).toEqual([]);
});

it("every requirement that a test names is listed", () => {
  expect([...claimed().keys()].filter((id) => !PROVED.includes(id))).toEqual([]);
});
