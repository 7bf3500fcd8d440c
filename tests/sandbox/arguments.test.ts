import { parseArguments, usage, VERBS } from "../../sandbox/arguments";

describe("the sandbox's command line", () => {
  it.each([
    [["up", "one"], { verb: "up", name: "one", suite: undefined, dnsNames: undefined }],
    [
      ["up", "--name", "a.test", "one", "--suite=bookworm", "--name", "b.test"],
      { verb: "up", name: "one", suite: "bookworm", dnsNames: ["a.test", "b.test"] },
    ],
    [["down", "--all"], { verb: "down-all" }],
    [["down", "one"], { verb: "down", name: "one" }],
    [["list", "--json"], { verb: "list", json: true }],
    [
      ["shell", "one", "--", "ls", "--all", "--"],
      { verb: "shell", name: "one", command: ["ls", "--all", "--"] },
    ],
    [["power-cut", "one"], { verb: "power-cut", name: "one" }],
    [
      ["cert", "--out", "/tmp/x", "a.test", "b.test"],
      { verb: "cert", out: "/tmp/x", names: ["a.test", "b.test"] },
    ],
    [["up", "--help"], { verb: "help", about: "up" }],
    [[], { verb: "help", about: undefined }],
  ])("reads %j", (argv, call) => expect(parseArguments(argv)).toEqual(call));

  it.each([
    [["start", "one"], /unknown verb "start"; verbs: up, down/],
    [["up"], /up: the host's name is missing/],
    [["up", "one", "two"], /one host's name, not 2: one two/],
    [["up", "one", "--suite", "sid"], /--suite "sid" is not one of trixie, bookworm/],
    [["up", "one", "--name"], /--name needs a value/],
    [["up", "one", "--name="], /--name needs a value/],
    [["up", "one", "--all"], /unknown option --all/],
    [["down", "--all", "one"], /--all takes no name/],
    [["cert", "a.test"], /--out DIR is missing/],
    [["cert", "--out", "x"], /at least one name/],
    [["list", "one"], /unexpected "one"/],
  ])("refuses %j with the reason and how the verb is used", (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(message);
  });

  it("explains every verb, otherwise users cannot find a verb", () => {
    for (const verb of VERBS) {
      expect(usage()).toContain(`\n${verb} `.trimEnd());
      expect(usage(verb)).toMatch(new RegExp(`^Usage: npm run sandbox -- ${verb}`));
    }
  });
});
