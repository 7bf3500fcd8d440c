import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostCertificate, renewalWarning } from "../../components/certificates/published";
import { askModule } from "../support/ask-module";

const folder = mkdtempSync(join(tmpdir(), "hearth-pairs-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder with a certificate and its key. */
function pairFor(name: string, days: number): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", String(days)];
  const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:a.test,DNS:b.test"];
  const files = ["-keyout", join(path, "privkey.pem"), "-out", join(path, "fullchain.pem")];
  execFileSync("openssl", ["req", "-x509", ...kind, ...subject, ...files], { stdio: "ignore" });
  return path;
}

const DUE = `
import json, sys, pair
rows = []
for folder, days in json.load(sys.stdin):
    held = pair.read(folder)
    # The first try, with two a day, at which it is renewed: days after it was issued.
    tries = (held.start + hours * 3600 for hours in range(0, days * 24, 12))
    rows.append([(at - held.start) / 86400 for at in tries if pair.is_due(held.start, held.end, at)][0])
print(json.dumps(rows))
`;

test("[V10] certificates of 6, 45, 64 and 90 days are renewed at the first try with a third of their lifetime left", async () => {
  const lifetimes = [6, 45, 64, 90];
  const days = lifetimes.map((lifetime) => [pairFor(`days-${lifetime}`, lifetime), lifetime]);
  expect(await askModule("certificates", DUE, days)).toEqual([4, 30, 43, 60]);
});

const WHY = `
import json, sys, types, renew
held = types.SimpleNamespace(start=0, end=90)
good = {"names": ["a.test"], "keyType": "ecdsa-p256", "directory": "https://ca.test/dir"}
print(json.dumps([renew.why(held if there else None, {**good, **about}, good, now) for there, about, now in json.load(sys.stdin)]))
`;

test("[V10] a new certificate is asked for when there is none, when the stack file wants another, and in time; else not", async () => {
  const rows = [
    [false, {}, 1],
    [true, { names: ["b.test"] }, 1],
    [true, { keyType: "rsa-2048" }, 1],
    [true, { directory: "https://other.test/dir" }, 1],
    [true, {}, 59],
    [true, {}, 60],
    [true, {}, 1000],
  ];
  expect(await askModule("certificates", WHY, rows)).toEqual([
    "there is no certificate",
    "the stack file has another value for names",
    "the stack file has another value for keyType",
    "the stack file has another value for directory",
    null,
    "a third of its lifetime is left",
    "a third of its lifetime is left",
  ]);
});

/** Ends a process at its Nth call that changes the disk, for every N, and looks at what is there then. */
const CUTS = `
import json, os, shutil, sys, pair, versions
data, *folders = json.load(sys.stdin)
one, two = map(pair.Pair, folders)
CALLS = ("mkdir", "open", "fsync", "symlink", "replace", "unlink", "fchmod")

def cut_at(number):
    left = [number]
    def counted(call):
        def wrapped(*words, **named):
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)
            return call(*words, **named)
        return wrapped
    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
    versions.install(data, two, {"names": ["two"]})
    os._exit(0)

def text(folder):
    return [open(os.path.join(folder, name)).read() for name in (pair.CERTIFICATE, pair.KEY)]

def seen():
    found = text(os.path.join(data, "current"))
    name = json.load(open(os.path.join(data, "current", versions.ABOUT)))["names"][0]
    return name, found == text(one.folder if name == "one" else two.folder)

names, number = [], 0
while True:
    shutil.rmtree(data, ignore_errors=True)
    os.mkdir(data)
    versions.install(data, one, {"names": ["one"]})
    child = os.fork()
    if child == 0:
        cut_at(number)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    names.append(seen())
    # The next run does the same from what is left.
    versions.install(data, two, {"names": ["two"]})
    assert seen() == ("two", True)
    if status == 0:
        break
    number += 1
print(json.dumps(names))
`;

test("[V10] cut off at any point, certificate and key are both the old ones or both the new ones, and the next run completes", async () => {
  const pairs = [pairFor("one", 6), pairFor("two", 6)];
  const seen = await askModule<[string, boolean][]>("certificates", CUTS, [join(folder, "data"), ...pairs]);
  expect(seen.length).toBeGreaterThan(15);
  expect(seen.filter(([, matches]) => !matches)).toEqual([]);
  const change = seen.findIndex(([name]) => name === "two");
  expect(change).toBeGreaterThan(10);
  expect(seen.map(([name]) => name)).toEqual(seen.map((_, index) => (index < change ? "one" : "two")));
});

test("[V10] the two newest certificates are kept, and a key that belongs to another certificate counts as none", async () => {
  const program = `
import json, os, shutil, sys, pair, versions
data, one, two = json.load(sys.stdin)
shutil.rmtree(data, ignore_errors=True)
os.mkdir(data)
for source in (one, two, one, two):
    versions.install(data, pair.Pair(source), {})
kept = sorted(os.listdir(os.path.join(data, "versions")))
shutil.copy(os.path.join(one, "privkey.pem"), os.path.join(data, "current", "privkey.pem"))
print(json.dumps([kept, os.readlink(os.path.join(data, "current")), versions.current(data)[0]]))
`;
  const pairs = [pairFor("three", 6), pairFor("four", 6)];
  expect(await askModule("certificates", program, [join(folder, "kept"), ...pairs])).toEqual([
    ["3", "4"],
    "versions/4",
    null,
  ]);
});

const FOUND = "0".repeat(64);
const LINE = `${FOUND} 2027-01-01T00:00:00Z 2027-03-06T00:00:00Z`;

test("[V10] what the host publishes becomes a warning in the preview when a try failed, or the certificate is due", () => {
  const warning = (line: string, day: string) =>
    renewalWarning(line, "vps", "hearth-certificates.service", new Date(`${day}T12:00:00Z`));
  expect(warning(`${LINE} ok`, "2027-02-01")).toBeUndefined();
  expect(warning("", "2027-02-01")).toBeUndefined();
  expect(warning(`${LINE} ok`, "2027-02-20")).toMatch(
    /^less than a third .*, and it has not been renewed\n {2}now: the old certificate is in use, and expires in 13 days \(2027-03-06\)\n {2}fix: .*systemctl start hearth-certificates\.service on vps/,
  );
  expect(warning(`${LINE} failed 2027-02-12T03:00:00Z no answer; fix: wait`, "2027-02-12")).toMatch(
    /^the certificate could not be renewed at 2027-02-12T03:00:00Z: no answer; fix: wait\n {2}now: /,
  );
  expect(hostCertificate(`${LINE} ok`)).toEqual({
    ...{ fingerprint: FOUND, from: new Date("2027-01-01"), to: new Date("2027-03-06") },
  });
});

test("[W2] names without an address are reported with their fix, only while there is no certificate", () => {
  const program = join(__dirname, "../../components/certificates/programs/names.sh");
  const run = (...words: string[]) => {
    try {
      return execFileSync("sh", [program, ...words], { encoding: "utf8" });
    } catch (error) {
      return (error as { stdout: string }).stdout;
    }
  };
  expect(run("/nowhere", "localhost", "nobody.invalid")).toBe(
    "nobody.invalid has no address in DNS, so no authority gives a certificate for it\tcreate an A record for nobody.invalid (and AAAA, if the host has IPv6); a new record may take some minutes\n",
  );
  expect(run("/nowhere", "localhost")).toBe("");
  expect(run(program, "nobody.invalid")).toBe("");
});
