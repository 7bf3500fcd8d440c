import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HOST_PROGRAMS } from "../homeserver";

let records: string;
beforeEach(() => {
  records = mkdtempSync(join(tmpdir(), "hearth-records-"));
});
afterEach(() => rmSync(records, { recursive: true }));

/** What a Python text prints that has the programs' modules and `records`; waits are over in a moment. */
function python(text: string): string[] {
  const program = `
import sys, time
import homeserver_admin as admin
from homeserver import Homeserver, Refused, Unavailable
admin.LOOK_WAITS = admin.CHANGE_WAITS = 0.2
records = sys.argv[1]
${text}`;
  const env = { ...process.env, PYTHONPATH: HOST_PROGRAMS };
  const done = spawnSync("python3", ["-B", "-c", program, records], { encoding: "utf8", env });
  if (done.status !== 0) throw new Error(done.stderr);
  return done.stdout.trim().split("\n");
}

test("looks do not wait for each other, and the first one ever leaves no trace", () => {
  expect(
    python(`
with admin.unchanging(records), admin.unchanging(records):
    print("both look")`),
  ).toEqual(["both look"]);
  expect(readdirSync(records)).toEqual([]);
  expect(
    python(`
with admin.locked(records):
    pass
with admin.unchanging(records), admin.unchanging(records):
    print("both look")`),
  ).toEqual(["both look"]);
});

test("a look waits for a change only so long: nothing is known then, which is a warning and no fault", () => {
  const [said] = python(`
with admin.locked(records):
    try:
        with admin.unchanging(records):
            print("looked")
    except Unavailable as error:
        print(error)`);
  expect(said).toMatch(/^another program has been changing accounts and rooms for /);
});

test("a change waits for others only so long: nothing is done long after its caller has given up", () => {
  const refused = python(`
def change():
    try:
        with admin.locked(records):
            print("changed")
    except Refused as error:
        print(error)
with admin.locked(records):
    change()
with admin.locked(records):
    pass
with admin.unchanging(records):
    change()
change()`);
  expect(refused).toEqual([
    expect.stringContaining("admin.lock names it"),
    expect.stringContaining("admin.lock names it"),
    "changed",
  ]);
});

test("a look of many questions at a slow homeserver ends before its caller gives up", () => {
  const said = python(`
class Slow:
    sock = None
    timeout = 15.0
    def request(self, *_, **__):
        time.sleep(min(self.timeout, 0.3))
        if self.timeout < 0.3:
            raise TimeoutError("timed out")
    def getresponse(self):
        return self
    def read(self):
        return b"{}"
    def close(self):
        pass
    status = 200
# However it is reached.
slow = Homeserver.__new__(Homeserver)
slow.base_url, slow.token, slow._timeout, slow._deadline = "there", None, 15.0, None
slow._connection = Slow()
slow.end_after(1.0)
began = time.monotonic()
try:
    for asked in range(100):
        slow.call("GET", "/")
except Unavailable as error:
    print(asked, time.monotonic() - began < 1.5, error)`);
  expect(said[0]).toMatch(/^[1-9] True the homeserver/);
});
