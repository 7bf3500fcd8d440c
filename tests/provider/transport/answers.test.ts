import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TimedOut } from "../../../provider/transport/failures";
import { runProcess } from "../../../provider/transport/process";
import { FakeSsh } from "../../support/fake-ssh";
import { eventually } from "../../support/jobs";
import { processesIn } from "../../toolchain/support";

let ssh: FakeSsh;
beforeEach(() => {
  ssh = new FakeSsh();
});
afterEach(() => ssh.remove());

const LINES = "a\trow\n\nbetween\n\n\nend\n";
const ROWS = `printf 'a\\trow\\n\\nbetween\\n\\n\\nend\\n'; exit 3\n`;
const JSON_PROGRAM = `import json, os, sys\njson.dump({"status": "ok", "site": "site" in sys.modules}, sys.stdout)\n`;

const NOISE: Record<string, [before: string, after: string]> = {
  "a greeting": ["echo Welcome", ""],
  "a greeting without an end of line": ["printf 'Welcome '", ""],
  "words that look like an answer": [
    'printf \'end\\tok\\n{"status": "ok"}\\n\'',
    "printf 'end\\tok\\n{}\\n'",
  ],
  "words that look like a mark": [
    "echo; echo hearth-00000000000000000000000000000000; echo HEARTH",
    "echo; echo hearth-00000000000000000000000000000000 0",
  ],
  "words after the answer": ["", "echo Bye; printf 'no end of line'"],
  "words on standard error": ["echo 'sudo: a password is required' >&2", "echo more >&2"],
  "a warning about the locale, and bytes that are no text": [
    "echo 'setlocale: LC_ALL: cannot change locale (de_DE.UTF-8)' >&2; printf '\\377\\033[2J\\n'",
    "printf '\\377'",
  ],
};

test.each(Object.keys(NOISE))(
  "%s around a program is no part of its answer, and its lines are told as they are",
  async (kind) => {
    const [before, after] = NOISE[kind] ?? ["", ""];
    ssh.does(`${before}\nsh -c "$command"; status=$?\n${after}\nexit $status`);
    ssh.program("rows.sh", ROWS);
    ssh.program("answer.py", JSON_PROGRAM);
    const run = ssh.session({ become: "sudo" });
    const told: string[] = [];
    const onLine = (line: string) => told.push(line);
    const rows = await run("rows.sh", { onLine, asRoot: false });
    expect(rows).toMatchObject({ status: 3, stdout: LINES });
    expect(told).toEqual(LINES.split("\n").slice(0, -1));
    expect(JSON.parse((await run("answer.py", { asRoot: false })).stdout)).toMatchObject({ status: "ok" });
  },
);

test("a job that a shell's start file leaves behind, with the streams in its hands, holds up no answer", async () => {
  ssh.does(`sleep 60 & echo $! >"$folder/job"\nsh -c "$command"\nwait`);
  ssh.program("rows.sh", ROWS);
  expect((await ssh.session()("rows.sh")).stdout).toBe(LINES);
  process.kill(Number(readFileSync(join(ssh.folder, "job"), "utf8")));
});

test("Python's own start files on the host cannot speak in an answer", async () => {
  const site = join(ssh.folder, "site");
  mkdirSync(site);
  for (const name of ["sitecustomize.py", "usercustomize.py", "json.py"])
    writeFileSync(join(site, name), 'print("noise")\n');
  ssh.does(`export PYTHONPATH=$folder/site PYTHONVERBOSE=\nsh -c "$command"`);
  ssh.program("answer.py", JSON_PROGRAM);
  expect(JSON.parse((await ssh.session()("answer.py")).stdout)).toEqual({ status: "ok", site: false });
});

describe("a loaded operator's machine", () => {
  test("an answer that comes seconds after ssh has ended is waited for: the shared connection still writes", async () => {
    ssh.does(`sh -c "$command" >"$folder/said"; status=$?
{ sleep 1.5; cat "$folder/said"; } &
exit $status`);
    ssh.program("rows.sh", ROWS);
    expect(await ssh.session()("rows.sh")).toMatchObject({ status: 3, stdout: LINES });
  });

  test("an answer that came while we were held up is read before the streams are closed", async () => {
    const running = runProcess(["sh", "-c", "(sleep 0.2; echo late) & exit 0"], {
      signal: new AbortController().signal,
      timeoutSeconds: 20,
    });
    // From before the child ends until long after its words have come and every timer is over.
    await new Promise((resolve) => setTimeout(resolve, 100));
    const until = Date.now() + 900;
    while (Date.now() < until) readFileSync(__filename);
    expect((await running).stdout).toBe("late\n");
  });
});

describe("the caller is gone", () => {
  /** Directories and processes of calls, known by a file that only this test's calls have. */
  const left = () =>
    readdirSync("/run")
      .filter((name) => name.startsWith("hearth.") && existsSync(join("/run", name, `of-${process.pid}`)))
      .flatMap((name) => [name, ...processesIn(join("/run", name))]);
  const files = [{ name: `of-${process.pid}`, content: "" }];
  const gone = () => eventually(async () => left().length === 0, 30);
  const begun = () => eventually(async () => existsSync(join(ssh.folder, "begun")), 30);

  test("a look ends with it, with all that it has started, and leaves nothing", async () => {
    ssh.program("look.sh", `sleep 300 & : >"${ssh.folder}/begun"; sleep 301; : >"${ssh.folder}/went-on"\n`);
    const abort = new AbortController();
    const running = ssh.session()("look.sh", { files, signal: abort.signal });
    await begun();
    expect(left()).not.toEqual([]);
    abort.abort();
    await expect(running).rejects.toThrow("was cancelled");
    expect(await gone()).toBe(true);
    expect(existsSync(join(ssh.folder, "went-on"))).toBe(false);
  });

  test("a look that waits without end is ended, there too, when its time is over, and the message says what waited", async () => {
    ssh.program("look.sh", "sleep 300\n");
    const running = ssh.session({ name: "vps" })("look.sh", { files, timeoutSeconds: 2 });
    await expect(running).rejects.toThrow(TimedOut);
    await expect(running).rejects.toThrow("look.sh on vps gave no result within 2 s");
    expect(await gone()).toBe(true);
  });

  test("a change goes on to its end, and then leaves nothing", async () => {
    ssh.program("change.sh", `: >"${ssh.folder}/begun"; sleep 1; : >"${ssh.folder}/changed"\n`);
    const abort = new AbortController();
    // As sshd does it: what runs there notices the end of its streams only.
    ssh.does(`setsid sh -c "$command"`);
    const running = ssh.session()("change.sh", { files, stays: true, signal: abort.signal });
    await begun();
    abort.abort();
    await expect(running).rejects.toThrow("was cancelled");
    expect(await eventually(async () => existsSync(join(ssh.folder, "changed")), 30)).toBe(true);
    expect(await gone()).toBe(true);
  });

  test("what a killed call left is swept by the next one; what belongs to a living one stays", async () => {
    const [dead, living] = [`/run/hearth.4194305.${process.pid}`, `/run/hearth.${process.pid}.living`];
    for (const folder of [dead, living]) mkdirSync(folder);
    try {
      ssh.program("rows.sh", ROWS);
      await ssh.session()("rows.sh");
      expect([existsSync(dead), existsSync(living)]).toEqual([false, true]);
    } finally {
      for (const folder of [dead, living]) rmSync(folder, { recursive: true, force: true });
    }
  });
});
