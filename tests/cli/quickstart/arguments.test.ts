import { parseArguments } from "../../../cli/quickstart/arguments";

test("without options the quickstart starts", () => {
  expect(parseArguments([])).toEqual({ help: false, down: false, name: "quickstart" });
});

test("options work in any order", () => {
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
