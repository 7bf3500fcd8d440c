import type { Ownership } from "../contract/release";

/** An answer of a Release program, row by row; the last row says how it ended. */
export interface Answer {
  rows: string[][];
  /** `""`: complete (observe); `ok`, `failed`, `refused`; undefined: cut off. */
  end: string | undefined;
  refusal: { code: string; text: string } | undefined;
}

/** Splits what a program wrote into rows; judges nothing but how it ended. */
export function parseAnswer(output: string): Answer {
  const rows = output
    .split("\n")
    .filter((line) => line !== "")
    .map(parseRow);
  const last = rows.at(-1);
  const refuse = rows.find(([kind]) => kind === "refuse");
  return {
    rows,
    end: last?.[0] === "end" ? (last[1] ?? "") : undefined,
    refusal: refuse && { code: refuse[1] ?? "", text: refuse[2] ?? "" },
  };
}

/** The columns of one line; the first names the kind of row. */
export function parseRow(line: string): string[] {
  return line.split("\t");
}

/** What observe.sh saw. Maps hold undefined for what is asked for and not there. */
export interface Observation {
  lock?: { operator: string; seconds: number };
  journal?: { state: string; apply: string; seconds: number };
  release?: { instance: string; generation: number; urn: string };
  identity: Map<string, string>;
  packages: Map<string, string | undefined>;
  repositories: Map<string, string>;
  users: Map<string, { home: string; groups: string[] } | undefined>;
  directories: Map<string, Ownership | undefined>;
  files: Map<string, (Ownership & { sha256: string; content: Buffer | undefined }) | undefined>;
  links: Map<string, string | undefined>;
  secrets: Map<string, (Ownership & { fingerprint: string }) | undefined>;
  environments: Map<string, string>;
  tasks: Map<string, string>;
  units: Map<string, { enabled: string; active: string; sub: string }>;
  revisions: Map<string, string | undefined>;
  /** Probe to `ok` or what was seen instead. */
  health: Map<string, string>;
  /** Paths of the request that another release owns, and which one. */
  conflicts: Map<string, string>;
  /** Paths that exist and belong to no release. */
  foreign: string[];
  /** What differs from what the last apply recorded. */
  changed: string[];
}

/** The rows of observe.sh by subject; kinds that are not known here are left out. */
export function parseObservation(rows: string[][]): Observation {
  const seen: Observation = {
    identity: new Map(),
    packages: new Map(),
    repositories: new Map(),
    users: new Map(),
    directories: new Map(),
    files: new Map(),
    links: new Map(),
    secrets: new Map(),
    environments: new Map(),
    tasks: new Map(),
    units: new Map(),
    revisions: new Map(),
    health: new Map(),
    conflicts: new Map(),
    foreign: [],
    changed: [],
  };
  for (const [kind = "", ...columns] of rows) addRow(seen, kind, columns);
  return seen;
}

function addRow(seen: Observation, kind: string, columns: string[]): void {
  const [key = "", second = "-", third = "-", fourth = "-", fifth = "-", sixth] = columns;
  const gone = second === "-";
  const access = { mode: second, owner: third, group: fourth };
  switch (kind) {
    case "lock":
      seen.lock = { operator: key, seconds: Number(second) };
      break;
    case "journal":
      seen.journal = { state: key, apply: second, seconds: Number(third) };
      break;
    case "release":
      if (key !== "-") seen.release = { instance: key, generation: Number(second), urn: third };
      break;
    case "identity":
      seen.identity.set(key, second);
      break;
    case "package":
      seen.packages.set(key, gone ? undefined : second);
      break;
    case "repository":
      seen.repositories.set(key, second);
      break;
    case "user":
      seen.users.set(key, gone ? undefined : { home: second, groups: third === "-" ? [] : third.split(",") });
      break;
    case "directory":
      seen.directories.set(key, gone ? undefined : access);
      break;
    case "file":
      seen.files.set(key, gone ? undefined : { ...access, sha256: fifth, content: decode(sixth) });
      break;
    case "link":
      seen.links.set(key, gone ? undefined : second);
      break;
    case "secret":
      seen.secrets.set(key, gone ? undefined : { ...access, fingerprint: fifth });
      break;
    case "environment":
      seen.environments.set(key, second);
      break;
    case "task":
      seen.tasks.set(key, second);
      break;
    case "unit":
      seen.units.set(key, { enabled: second, active: third, sub: fourth });
      break;
    case "revision":
      seen.revisions.set(key, gone ? undefined : second);
      break;
    case "health":
      seen.health.set(key, second);
      break;
    case "conflict":
      seen.conflicts.set(key, second);
      break;
    case "foreign":
      seen.foreign.push(key);
      break;
    case "changed":
      seen.changed.push(key);
      break;
  }
}

function decode(base64: string | undefined): Buffer | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, "base64");
}
