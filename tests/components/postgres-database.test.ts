import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askModule } from "../support/ask-module";

// Runs database.py with a server that has the databases of the first list; prints its changes and its error.
const PROGRAM = `
import json, sys
from types import SimpleNamespace
import database
there, wanted, identity = json.load(sys.stdin)
did = []

def psql(script, **values):
    if script.startswith(("CREATE", "ALTER")):
        did.append(" ".join(script.split()[:2]))
        return []
    if "pg_get_userbyid" in script:
        return [["chat", "UTF8", "C", "C", "c"]] if values["database"] in there else []
    if "server_version_num" in script:
        return [["170006"]]
    return [[name] for name in there] if "datistemplate" in script else []

database.psql = psql
said = None
try:
    database.apply(SimpleNamespace(database=wanted, role="chat", password=None, identity=identity, data="/nowhere"))
except SystemExit as end:
    said = str(end)
print(json.dumps([did, said]))
`;

// The line that database.py prints about a server with the databases of the first list (null: no server answers).
const OBSERVE = `
import json, sys
import database
there, collation, wanted, identity, data = json.load(sys.stdin)

def psql(script, **values):
    if there is None:
        raise database.NotRunning("no server")
    if "rolcanlogin" in script:
        return [["t", ""]]
    if "pg_get_userbyid" in script:
        return [["chat", "UTF8", collation, "C", "c"]] if values["database"] in there else []
    return [[name] for name in there]

database.psql = psql
print_line, said = print, []
database.print = said.append
sys.argv = ["database.py", "observe", f"--database={wanted}", "--role=chat", "--journal=journalctl",
            f"--identity={identity}", f"--data={data}", "--", "psql"]
database.main()
print_line(json.dumps(said))
`;

let folder: string;
let identity: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearth-database-"));
  identity = join(folder, "identity");
});
afterEach(() => rmSync(folder, { recursive: true }));

const applied = (there: string[], wanted: string): Promise<[did: string[], said: string | null]> =>
  askModule("postgres", PROGRAM, [there, wanted, identity]);

describe("[A2] `observe` reports a state that no update can fix, so that a preview refuses it", () => {
  const observed = (there: string[] | null, wanted = "synapse", collation = "C"): Promise<string[]> =>
    askModule("postgres", OBSERVE, [there, collation, wanted, identity, folder]);
  beforeEach(() => writeFileSync(identity, "serverName\texample.org\n"));

  it("another name of the database", async () => {
    expect(await observed(["synapse"], "chat")).toEqual([
      expect.stringMatching(/^refused: there is no database chat, but example\.org was set up on this host/),
    ]);
  });

  it("a collation that damages Synapse's data", async () => {
    expect(await observed(["synapse"], "synapse", "de_DE")).toEqual([
      expect.stringMatching(/^refused: database synapse: collation is de_DE instead of C/),
    ]);
  });

  it("a server that is down with its data gone; with the data there it is only down", async () => {
    expect(await observed(null)).toEqual([
      `refused: ${folder} holds no data of Postgres, but example.org was set up on this host. If a disk is not mounted, mount it; if the data is lost, restore it. To begin without it all the same, remove the line serverName from ${identity}`,
    ]);
    writeFileSync(join(folder, "PG_VERSION"), "17\n");
    expect(await observed(null)).toEqual(["Postgres does not answer"]);
  });

  it("nothing on a host without a homeserver, or with the wanted state", async () => {
    expect(await observed(["synapse"])).toEqual([
      "role chat; database synapse: owner chat, encoding UTF8, collation C, ctype C, provider libc",
    ]);
    rmSync(identity);
    expect(await observed([], "chat")).toEqual(["role chat; database chat: missing"]);
    expect(await observed(null)).toEqual(["Postgres does not answer"]);
  });
});

describe("a missing database", () => {
  it("[H3] is created on a host without a homeserver", async () => {
    expect(await applied([], "synapse")).toEqual([["CREATE ROLE", "CREATE DATABASE"], null]);
  });

  it.each<[string, string[], RegExp]>([
    ["after a change of its name", ["synapse"], /Databases here: synapse\. If hearth:postgres\.database was/],
    ["with the data's disk not mounted", [], /Databases here: none\..*if a disk is not mounted, mount it/],
  ])("[A5] is not created next to the data of a homeserver, %s", async (_what, there, says) => {
    writeFileSync(identity, "serverName\texample.org\n");
    const [did, said] = await applied(there, "chat");
    expect(did).toEqual([]);
    expect(said).toMatch(says);
    expect(said).toMatch(/example\.org was set up on this host.*remove the line serverName from \//);
  });

  it("[A5] an existing one is not changed", async () => {
    writeFileSync(identity, "serverName\texample.org\n");
    expect(await applied(["synapse"], "synapse")).toEqual([["CREATE ROLE"], null]);
  });
});
