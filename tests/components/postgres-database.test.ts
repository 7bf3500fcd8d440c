import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askModule } from "../support/jobs";

// database.py with a server that has the databases of the first list: what it changes, and what it dies of.
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
    database.apply(SimpleNamespace(database=wanted, role="chat", password=None, identity=identity))
except SystemExit as end:
    said = str(end)
print(json.dumps([did, said]))
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

describe("a database that is not there", () => {
  it("[H3] is made on a host without a homeserver", async () => {
    expect(await applied([], "synapse")).toEqual([["CREATE ROLE", "CREATE DATABASE"], null]);
  });

  it.each<[string, string[], RegExp]>([
    ["after a change of its name", ["synapse"], /Databases here: synapse\. If hearth:postgres\.database was/],
    ["with the data's disk not mounted", [], /Databases here: none\..*if a disk is not mounted, mount it/],
  ])("[A5] is not made beside the data of a homeserver, %s", async (_what, there, says) => {
    writeFileSync(identity, "serverName\texample.org\n");
    const [did, said] = await applied(there, "chat");
    expect(did).toEqual([]);
    expect(said).toMatch(says);
    expect(said).toMatch(/example\.org was set up on this host.*remove the line serverName from \//);
  });

  it("[A5] one that is there goes on as it is", async () => {
    writeFileSync(identity, "serverName\texample.org\n");
    expect(await applied(["synapse"], "synapse")).toEqual([["CREATE ROLE"], null]);
  });
});
