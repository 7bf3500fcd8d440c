import { Steps } from "../../../cli/quickstart/steps";

function screen(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, columns: 40, write: (text: string) => void written.push(text) };
}

const times = (text: string) => text.replace(/\d+\.\d s/g, "N s");

test("a log shows each step's start, details and end as separate lines", async () => {
  const log = screen(false);
  await new Steps(log).run("hosts", "Booting", async (note) => note("one", "copying"));
  expect(times(log.written.join(""))).toBe("Booting ...\n    N s  one: copying\nBooting: N s\n");
});

test("on a terminal the running step stays on one line, cut to its width", async () => {
  const terminal = screen(true);
  await new Steps(terminal).run("hosts", "Booting", async (note) => note("one", "x".repeat(100)));
  const [live = "", end = ""] = terminal.written;
  expect(live.replace("\r\x1b[K", "")).toHaveLength(39);
  expect(times(end)).toBe("\r\x1b[KBooting: N s\n");
});

test("the times of finished steps are kept; a failed step is reported and not among them", async () => {
  const log = screen(false);
  const steps = new Steps(log);
  await steps.run("one", "First", async () => undefined);
  const failing = steps.run("two", "Second", async () => {
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(Object.keys(steps.timings)).toEqual(["one"]);
  expect(times(log.written.at(-1) ?? "")).toBe("Second: failed after N s\n");
});
