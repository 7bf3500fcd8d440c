import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { HOST_PROGRAMS } from "../homeserver";

const run = promisify(execFile);

interface Row {
  desired: { admin: boolean; displayName: string | null; deactivated: boolean; password: object };
  observed: { exists: boolean; admin: boolean; displayName: string | null; deactivated: boolean };
  passwordSet: boolean | null;
}

type Step = [action: string, settings: object];

/** The plan of provider/matrix/programs/account.py for every row, in one process. */
async function plans(rows: Row[]): Promise<Step[][]> {
  const program = `
import json, sys
from account import plan
rows = json.load(sys.stdin)
print(json.dumps([plan(row["desired"], row["observed"], row["passwordSet"]) for row in rows]))
`;
  const child = run("python3", ["-B", "-c", program], {
    env: { ...process.env, PYTHONPATH: HOST_PROGRAMS },
  });
  child.child.stdin?.end(JSON.stringify(rows));
  return JSON.parse((await child).stdout);
}

const GENERATED = { kind: "generated" };
const GIVEN = { kind: "given", value: "x", change: false };
const CHANGED = { kind: "given", value: "x", change: true };
const wanted = { admin: false, displayName: null, deactivated: false, password: GENERATED };
const absent = { exists: false, admin: false, displayName: null, deactivated: false };
const present = { exists: true, admin: false, displayName: "Alice", deactivated: false };

const TABLE: [why: string, row: Row, steps: string[]][] = [
  ["a missing account is made", { desired: wanted, observed: absent, passwordSet: null }, ["create"]],
  [
    "a missing account that is to be deactivated keeps its name taken",
    { desired: { ...wanted, deactivated: true }, observed: absent, passwordSet: null },
    ["create", "deactivate"],
  ],
  ["an account as wanted is left alone", { desired: wanted, observed: present, passwordSet: null }, []],
  [
    "a display name the stack does not set is left alone",
    { desired: wanted, observed: { ...present, displayName: "Al" }, passwordSet: null },
    [],
  ],
  [
    "admin right and display name are set, each only when it differs",
    { desired: { ...wanted, admin: true, displayName: "Al" }, observed: present, passwordSet: null },
    ["set admin", "set display name"],
  ],
  [
    "an admin right given by hand is taken",
    { desired: wanted, observed: { ...present, admin: true }, passwordSet: null },
    ["set admin"],
  ],
  [
    "an account is deactivated",
    { desired: { ...wanted, deactivated: true }, observed: present, passwordSet: null },
    ["deactivate"],
  ],
  [
    "of a deactivated account nothing else is changed",
    {
      desired: { ...wanted, deactivated: true, admin: true, displayName: "New" },
      observed: { ...present, deactivated: true },
      passwordSet: null,
    },
    [],
  ],
  [
    "an account is activated again",
    { desired: wanted, observed: { ...present, deactivated: true }, passwordSet: null },
    ["reactivate"],
  ],
  ["a generated password is never set again", { desired: wanted, observed: present, passwordSet: false }, []],
  [
    "an account of Hearth's own that somebody else has is taken back before it becomes an admin",
    {
      desired: { ...wanted, admin: true, password: { kind: "generated", reclaim: true } },
      observed: present,
      passwordSet: false,
    },
    ["reclaim", "set admin"],
  ],
  [
    "an account of Hearth's own with the password made here is left alone",
    {
      desired: { ...wanted, password: { kind: "generated", reclaim: true } },
      observed: present,
      passwordSet: true,
    },
    [],
  ],
  [
    "a given password that stayed the same is not set again",
    { desired: { ...wanted, password: GIVEN }, observed: present, passwordSet: true },
    [],
  ],
  [
    "the password of an account that is taken over stays",
    { desired: { ...wanted, password: GIVEN }, observed: present, passwordSet: null },
    [],
  ],
  [
    "another given password is set",
    { desired: { ...wanted, password: CHANGED }, observed: present, passwordSet: false },
    ["set password"],
  ],
  [
    "another given password is set on an account that was taken over",
    { desired: { ...wanted, password: CHANGED }, observed: present, passwordSet: null },
    ["set password"],
  ],
  [
    "a given password that was changed while the state was lost is set",
    { desired: { ...wanted, password: GIVEN }, observed: present, passwordSet: false },
    ["set password"],
  ],
  [
    "a change that an interrupted run has made already is not made again",
    { desired: { ...wanted, password: CHANGED }, observed: present, passwordSet: true },
    [],
  ],
];

let planned: Step[][];
beforeAll(async () => {
  planned = await plans(TABLE.map(([, row]) => row));
});

test.each(TABLE.map(([why, , steps], index) => ({ why, steps, index })))("[V12] $why", ({ steps, index }) => {
  expect(planned[index]?.map(([action]) => action)).toEqual(steps);
});
