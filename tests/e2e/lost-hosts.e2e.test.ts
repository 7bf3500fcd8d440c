import { MiniStack } from "../support/mini-stack";

// Unique for this run: a parallel run has its own host.
const NAME = `lost-${process.pid}`;
let stack: MiniStack;

beforeAll(async () => {
  stack = await MiniStack.deploy(NAME);
});
afterAll(() => stack?.remove());

test("an update that takes longer than its customTimeouts is rolled back and reports its time limit", async () => {
  const before = await stack.seen();
  stack.change({ mark: "wait-long", timeout: 20 });
  const { code, stdout, seconds } = await stack.up();
  expect(code).toBe(1);
  expect(stdout).toMatch(
    new RegExp(`release "mini" on ${NAME} was rolled back: step \\d+/\\d+ health: not done within 20 s\n`),
  );
  expect(stdout).toContain("fix: run pulumi up again, or give it more time with customTimeouts");
  expect(seconds).toBeLessThan(120);
  expect(await stack.seen()).toBe(before);
});

test("a dropped connection in the middle of up, at both ends, does not disturb it", async () => {
  stack.change({ mark: "wait-dropped" });
  const up = await stack.upUntilWaiting();
  expect(stack.dropConnection()).toBeGreaterThan(0);
  await stack.shell("pkill -f '^sshd(-session)?: root' || true").catch(() => undefined);
  await up.shows(`the connection to ${NAME} was lost; trying again in 1 s`);
  await stack.letGo();
  const { code, stdout } = await up.ended;
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("health ok") });
  expect(await stack.seen()).toBe("wait-dropped wait-dropped wait-dropped wait-dropped active");
  await stack.shell("rm /run/go");
});

test("another operator is refused while up runs, with the name of the operator and the time since then, and succeeds afterwards", async () => {
  const other = await stack.another({ mark: "other", release: "other" });
  try {
    stack.change({ mark: "wait-first" });
    const first = await stack.upUntilWaiting();
    const preview = await other.pulumi("preview");
    expect(preview.stdout).toMatch(
      /\S+@\S+ has been changing lost-\d+ for \d+ s; what is shown here may be half of it/,
    );
    const refused = await other.pulumi("up", "--yes", "--skip-preview");
    expect(refused.code).toBe(1);
    expect(refused.stdout).toMatch(
      /was refused \(locked\): \S+@\S+ has been changing this host for \d+ s \(release mini\); try again when that is done\n.*now: nothing was changed/,
    );
    await stack.letGo();
    expect(await first.ended).toMatchObject({ code: 0 });
    await stack.shell("rm /run/go");
    expect(await other.pulumi("up", "--yes", "--skip-preview")).toMatchObject({ code: 0 });
    expect(await stack.shell("cat /run/other")).toBe("other\nother");
  } finally {
    other.remove();
  }
});

test("a host with another name in the stack is refused, and the message names the fix", async () => {
  stack.change({ mark: "wait-first", connection: { name: "box" } });
  const { code, stdout } = await stack.preview();
  expect(code).toBe(1);
  expect(stdout).toContain(`if it is the same machine, call it ${NAME} again in hearth:hosts`);
});

test("[A4] a power cut of the host in the middle of up: the host restores the last generation by itself, and the error says so", async () => {
  stack.change({ mark: "two" });
  expect(await stack.up()).toMatchObject({ code: 0 });
  stack.change({ mark: "wait-cut" });
  const up = await stack.upUntilWaiting();
  await stack.powerCut();
  await stack.boot();
  const { code, stdout } = await up.ended;
  expect(code).toBe(1);
  expect(stdout).toMatch(
    new RegExp(`release "mini" on ${NAME} was rolled back: step \\d+/\\d+ interrupted: .*power cut`),
  );
  expect(stdout).toContain("was put back at boot, before its units started");
  expect(stdout).toContain("fix: run pulumi up again");
  // Without an operator the host serves the last proved generation.
  expect(await stack.seen()).toBe("two two two two active");

  stack.change({ mark: "three" });
  const again = await stack.up();
  expect(again).toMatchObject({ code: 0 });
  expect(again.stdout).toMatch(/an interrupted change of release mini was cleared up \S/);
  expect(await stack.seen()).toBe("three three three three active");
  expect(await stack.project.pulumi("preview", "--expect-no-changes")).toMatchObject({ code: 0 });
});
