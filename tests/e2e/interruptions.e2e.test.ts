import { setTimeout as sleep } from "node:timers/promises";
import { MiniStack, signalTerminal } from "../support/mini-stack";

// Unique for this run: a parallel run has its own host.
const NAME = `stopped-${process.pid}`;
let stack: MiniStack;

beforeAll(async () => {
  stack = await MiniStack.deploy(NAME);
});
afterAll(() => stack?.remove());

/** In every case: the program's next state deploys, and then there is nothing to do. */
async function worksAgain(mark: string): Promise<void> {
  stack.change({ mark });
  const up = await stack.up();
  expect(up).toMatchObject({ code: 0, stdout: expect.stringContaining("restarted mini.service") });
  expect(await stack.seen()).toBe(`${mark} ${mark} ${mark} ${mark} active`);
  expect(await stack.project.pulumi("preview", "--expect-no-changes")).toMatchObject({ code: 0 });
}

test("[A4] Ctrl-C once: up fails with a message, the host is as before, the state keeps the old inputs, no process stays", async () => {
  stack.change({ mark: "wait-once" });
  const up = await stack.upUntilWaiting();
  signalTerminal(up, "SIGINT");
  const { code, stdout, stderr } = await up.ended;
  expect(code).toBe(1);
  expect(stdout + stderr).toMatch(
    new RegExp(`release "mini" on ${NAME} was rolled back: step \\d+/\\d+ health: cancelled`),
  );
  expect(stdout + stderr).toContain("run pulumi up again");
  expect(await stack.seen()).toBe("one one one one active");
  expect(stack.project.state()).not.toContain("wait-once");
  await stack.nothingLeft();
  await worksAgain("two");
});

test("[A4] Ctrl-C twice: the CLI ends at once, the host undoes the change by itself, no process stays", async () => {
  stack.change({ mark: "wait-twice" });
  const up = await stack.upUntilWaiting();
  signalTerminal(up, "SIGINT");
  await sleep(100);
  signalTerminal(up, "SIGINT");
  expect((await up.ended).code).not.toBe(0);
  await stack.nothingLeft();
  await stack.hostAtRest();
  expect(await stack.seen()).toBe("two two two two active");
  // The engine removed its lock itself: no cleanup is necessary.
  expect(await stack.preview()).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("will restart mini.service"),
  });
  await worksAgain("three");
});

test.each(["SIGHUP", "SIGKILL"] as const)(
  "[A4] the CLI ends by %s (a lost terminal, a killed CLI): the host undoes the change, nothing stays, and after pulumi cancel all goes on",
  async (signal) => {
    const before = await stack.seen();
    stack.change({ mark: `wait-${signal}` });
    const up = await stack.upUntilWaiting();
    if (signal === "SIGHUP") signalTerminal(up, signal);
    else up.child.kill(signal);
    await up.ended;
    await stack.nothingLeft();
    await stack.hostAtRest();
    expect(await stack.seen()).toBe(before);
    expect(await stack.up()).toMatchObject({ code: 1, stderr: expect.stringContaining("pulumi cancel") });
    expect(await stack.project.pulumi("cancel", "--yes")).toMatchObject({ code: 0 });
    await worksAgain(`after-${signal}`);
  },
);

test("[A4] a CLI that is killed during the very first up leaves the host as it was, and the next up installs", async () => {
  const first = await stack.another({ mark: "wait-fresh", release: "fresh" });
  try {
    const up = await stack.upUntilWaiting(first);
    up.child.kill("SIGKILL");
    await up.ended;
    await stack.nothingLeft(first);
    await stack.hostAtRest();
    const files = "/etc/fresh/a /etc/fresh/b /etc/systemd/system/fresh.service";
    expect(
      await stack.shell(`ls -d ${files} 2>&1 | grep -vc 'cannot access'; systemctl is-active fresh`),
    ).toBe("0\ninactive");
    expect(await first.pulumi("cancel", "--yes")).toMatchObject({ code: 0 });
    stack.change({ mark: "fresh", release: "fresh" }, first);
    const next = await first.pulumi("up", "--yes", "--skip-preview");
    expect(next).toMatchObject({ code: 0, stdout: expect.stringContaining("1 pending operations") });
    expect(await stack.shell("cat /run/fresh; systemctl is-active fresh.service")).toBe(
      "fresh\nfresh\nactive",
    );
    // After the successful create the engine's warning is gone.
    const last = await first.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
    expect(last).toMatchObject({ code: 0, stdout: expect.not.stringContaining("pending") });
  } finally {
    first.remove();
  }
});

test("[A4] a killed provider (for example out of memory): the host finishes the change by itself, and the next read shows the real state", async () => {
  stack.change({ mark: "wait-provider" });
  const up = await stack.upUntilWaiting();
  stack.killProviders();
  const { code, stdout } = await up.ended;
  expect(code).toBe(1);
  expect(stdout).toContain("exited prematurely");
  await stack.letGo();
  await stack.hostAtRest();
  await stack.nothingLeft();
  expect(await stack.seen()).toBe("wait-provider wait-provider wait-provider wait-provider active");
  // The host has the wanted state: there is nothing to do, and the state file now agrees.
  const next = await stack.up();
  expect(next).toMatchObject({ code: 0 });
  expect(next.stdout).not.toContain("restarted");
  expect(await stack.project.pulumi("preview", "--expect-no-changes")).toMatchObject({ code: 0 });
});
