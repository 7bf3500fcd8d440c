import { parseArguments } from "../../../cli/quickstart/arguments";

test("without options it brings the quickstart up", () => {
  expect(parseArguments([])).toEqual({ help: false, down: false, name: "quickstart" });
});

test("options are read in any order", () => {
  expect(parseArguments(["--name", "demo", "--down"])).toEqual({ help: false, down: true, name: "demo" });
});

test.each([
  [["--dwon"], "unknown option --dwon"],
  [["--name"], 'name ""'],
  [["--name", "Demo"], 'name "Demo"'],
  [["--name", "-"], 'name "-"'],
])("%j is refused before anything starts, with the reason", (argv, message) => {
  expect(() => parseArguments(argv)).toThrow(message);
});
