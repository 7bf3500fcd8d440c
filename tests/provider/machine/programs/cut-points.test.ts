import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { orderFaults, type Written } from "../../../support/cuts/order";
import { sample } from "../../../support/cuts/sample";

/** The skeleton of a change as the sandbox records it: one file, one link, no unit. */
const CALLS: Written[] = [
  ["-", "mkdir -p -m 0700 -- /s/releases/r /s/apply/1/undo"],
  ["-", "sync -f -- /s/apply/1"],
  ["-", "cat >/s/journal.new"],
  ["-", "sync -- /s/journal.new"],
  ["-", "mv -f -- /s/journal.new /s/journal"],
  ["preparing", "sync -- /s"],
  ["preparing", "cat >/s/apply/1/undo/files.new"],
  ["preparing", "sync -- /s/apply/1/undo/files.new"],
  ["preparing", "mv -f -- /s/apply/1/undo/files.new /s/apply/1/undo/files"],
  ["preparing", "sync -- /s/apply/1/undo"],
  ["preparing", "sync -f -- /s/apply/1"],
  ["preparing", "cat >/s/journal.new"],
  ["preparing", "sync -- /s/journal.new"],
  ["preparing", "mv -f -- /s/journal.new /s/journal"],
  ["swapping", "sync -- /s"],
  ["swapping", "cp -al -- /s/apply/1/stage/file.0 /etc/.a.hearth-new"],
  ["swapping", "cp -al -- /s/apply/1/stage/link.1 /etc/.l.hearth-new"],
  ["swapping", "sync -- /etc/.a.hearth-new"],
  ["swapping", "mv -fT -- /etc/.a.hearth-new /etc/a"],
  ["swapping", "mv -fT -- /etc/.l.hearth-new /etc/l"],
  ["swapping", "sync -- /etc"],
  ["swapping", "systemctl restart -- a.service"],
  ["swapping", "sync -f -- /s/apply/1"],
  ["swapping", "cat >/s/journal.new"],
  ["swapping", "sync -- /s/journal.new"],
  ["swapping", "mv -f -- /s/journal.new /s/journal"],
  ["recording", "sync -- /s"],
  ["recording", "mv -T -- /s/releases/r/request.new /s/releases/r/request"],
  ["recording", "sync -f -- /s/releases/r"],
  ["recording", "sync -- /s/releases/r/manifest.new"],
  ["recording", "mv -f -- /s/releases/r/manifest.new /s/releases/r/manifest"],
  ["recording", "sync -- /s/releases/r"],
  ["recording", "sync -- /s/releases/r/meta.new"],
  ["recording", "mv -f -- /s/releases/r/meta.new /s/releases/r/meta"],
  ["recording", "sync -- /s/releases/r"],
  ["recording", "rm -f -- /s/journal"],
  ["-", "sync -- /s"],
  ["-", "rm -rf -- /s/apply/1/request /s/apply/1/lib"],
].map(([state = "", call = ""]) => ({ state, call }));

describe("the check of a recorded change", () => {
  it("finds nothing wrong in the right order", () => {
    expect(orderFaults(CALLS)).toEqual([]);
  });

  const syncs = CALLS.flatMap(({ call }, at) => (call.startsWith("sync") ? [[call, at] as const] : []));
  it.each(syncs)("misses %s (call %i)", (_, at) => {
    expect(orderFaults(CALLS.filter((__, index) => index !== at))).not.toEqual([]);
  });

  it("sees a rename and a restart before the journal says so, and a journal that outlives what it needs", () => {
    const at = (call: string) => CALLS.findIndex((one) => one.call === call);
    const early = (call: string) =>
      CALLS.map((one) => (one.call === call ? { ...one, state: "preparing" } : one));
    expect(orderFaults(early("mv -fT -- /etc/.a.hearth-new /etc/a"))).not.toEqual([]);
    expect(orderFaults(early("systemctl restart -- a.service"))).not.toEqual([]);
    const late = [...CALLS];
    late.splice(
      at("rm -f -- /s/journal"),
      0,
      ...late.splice(at("rm -rf -- /s/apply/1/request /s/apply/1/lib"), 1),
    );
    expect(orderFaults(late)).not.toEqual([]);
  });
});

describe("the places that a run draws", () => {
  const counts = { change: 100, "roll back": 100, create: 100, delete: 40 };

  it("are the same for the same seed, others for another, and none twice", () => {
    const drawn = sample(counts, 20, 7);
    expect(sample(counts, 20, 7)).toEqual(drawn);
    expect(sample(counts, 20, 8)).not.toEqual(drawn);
    expect(new Set(drawn.map(({ act, at }) => `${act} ${at}`)).size).toBe(20);
    for (const { act, at } of drawn) expect(at >= 1 && at <= counts[act]).toBe(true);
  });
});

it("what programs for the Matrix API write down is on the disk with its name before they go on", () => {
  const script = `
import os, sys, tempfile
sys.path.insert(0, sys.argv[1])
import homeserver
seen, fsync, replace = [], os.fsync, os.replace
os.fsync = lambda fd: (seen.append("folder" if os.path.isdir(f"/proc/self/fd/{fd}") else "file"), fsync(fd))
os.replace = lambda one, other: (seen.append("name"), replace(one, other))
with tempfile.TemporaryDirectory() as folder:
    homeserver.write_private(os.path.join(folder, "password"), "secret")
    print(*seen, open(os.path.join(folder, "password")).read(), oct(os.stat(os.path.join(folder, "password")).st_mode))
`;
  const said = execFileSync("python3", [
    "-B",
    "-c",
    script,
    join(__dirname, "../../../../provider/matrix/programs"),
  ]);
  expect(said.toString().trim()).toBe("file name folder secret 0o100600");
});
