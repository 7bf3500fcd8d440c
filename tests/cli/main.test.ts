import { main } from "../../cli/main";

/** Runs one command line and returns what it printed. */
async function hearth(...argv: string[]): Promise<{ status: number; out: string; err: string }> {
  const printed = { out: "", err: "" };
  const out = jest.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed.out += text;
    return true;
  });
  const err = jest.spyOn(process.stderr, "write").mockImplementation((text) => {
    printed.err += text;
    return true;
  });
  try {
    return { status: await main(argv), ...printed };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

test("--help names every verb and succeeds; without a verb the same text is an error", async () => {
  expect(await hearth("--help")).toMatchObject({
    status: 0,
    err: "",
    out: expect.stringMatching(/^ {2}verify {2,}\w/m),
  });
  expect(await hearth("help")).toMatchObject({ status: 0 });
  expect(await hearth()).toMatchObject({ status: 2, out: expect.stringContaining("npx hearth VERB") });
});

test("the --help of a verb names every option and the exit statuses", async () => {
  const { status, out } = await hearth("verify", "-s", "vps", "--help");
  expect(status).toBe(0);
  for (const option of ["--stack", "--config-file", "--json", "--help", "Exit status"])
    expect(out).toContain(option);
});

test.each<[string[], RegExp]>([
  [
    ["verfy"],
    /^hearth: "verfy" is not a verb; allowed: verify, backup, restore, trust \(npx hearth --help\)\n$/,
  ],
  [["constructor"], /"constructor" is not a verb/],
  [["verify", "--jsno"], /^hearth: verify: Unknown option '--jsno' \(npx hearth verify --help\)\n$/],
  [["verify", "vps"], /^hearth: verify: Unexpected argument 'vps'/],
  [["verify", "--stack"], /^hearth: verify: Option '-s, --stack <value>' argument missing/],
])("%j is refused in one line that names the help", async (argv, message) => {
  const { status, out, err } = await hearth(...argv);
  expect({ status, out }).toEqual({ status: 2, out: "" });
  expect(err).toMatch(message);
});

test("a missing configuration file is refused before the engine creates an empty one", async () => {
  const { status, err } = await hearth("verify", "--config-file", "/nonexistent/stack.yaml");
  expect({ status, err }).toEqual({
    status: 2,
    err: "hearth: verify: --config-file /nonexistent/stack.yaml: there is no such file\n",
  });
});
