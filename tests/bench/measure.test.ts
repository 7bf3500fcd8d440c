import { parseArguments } from "../../bench/arguments";
import { desiredState } from "../../bench/desired";
import { median, renderTable } from "../../bench/measure";

test("the median is the middle value, and one slow run does not change it", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([1, 2, 3, 100])).toBe(2.5);
});

test("ratios compare a row with the first row of its subject", () => {
  const table = renderTable([
    { subject: "preview", who: "Hearth", seconds: [1, 2, 3] },
    { subject: "preview", who: "other", seconds: [9] },
    { subject: "run", who: "Hearth", seconds: [5] },
  ]);
  expect(table.split("\n").slice(2)).toEqual([
    "preview  Hearth      2.00  1.00–3.00   1.0×",
    "preview  other       9.00  9.00–9.00   4.5×",
    "run      Hearth      5.00  5.00–5.00   1.0×",
    "",
  ]);
});

test("the measured state has the promised size, and an edition is exactly one file", () => {
  const [first, second] = [desiredState("first"), desiredState("second")];
  const sizes = [first.files, first.directories, first.packages, Object.keys(first.units)].map(
    (list) => list.length,
  );
  expect(sizes).toEqual([16, 4, 6, 3]);
  expect(first.files.filter((file, index) => file.content !== second.files[index]?.content)).toHaveLength(1);
});

test.each([[["--rounds", "0"]], [["--rounds", "many"]], [["--fast"]]])("%j is refused", (argv) => {
  expect(() => parseArguments(argv)).toThrow(RangeError);
});
