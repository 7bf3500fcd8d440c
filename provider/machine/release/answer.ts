import type { Ownership } from "../../contract/release";

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

/** Why a release is refused, and the way out (`-`: none to name). */
export interface Obstacle {
  text: string;
  fix: string;
}

/** What observe.sh saw. Maps hold undefined for what is asked for and not there. */
export interface Observation {
  lock?: { operator: string; seconds: number };
  /** A change that was cut off; `release` is the one it was about. */
  journal?: { state: string; apply: string; seconds: number; release: string };
  release?: { instance: string; generation: number; urn: string };
  identity: Map<string, string>;
  packages: Map<string, string | undefined>;
  /** What apt would do along with the packages that are missing; `unknown`: it cannot tell yet. */
  brings: { name: string; from?: string; to?: string }[] | "unknown";
  repositories: Map<string, string>;
  users: Map<string, { home: string; groups: string[] } | undefined>;
  directories: Map<string, Ownership | undefined>;
  files: Map<string, (Ownership & { sha256: string; content: Buffer | undefined }) | undefined>;
  links: Map<string, string | undefined>;
  secrets: Map<string, (Ownership & { fingerprint: string }) | undefined>;
  /** Those that are there. */
  images: Set<string>;
  /** Podman secret to fingerprint. */
  containerSecrets: Map<string, string | undefined>;
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
  /** What serves on the host already and no release made. */
  obstacles: Obstacle[];
  /** What differs from what the last apply recorded. */
  changed: string[];
  /** What the units were not started with yet, in the spelling of their lists, `package:NAME` besides. */
  pending: string[];
  /** Why the request cannot be carried out here as things are. */
  blocked: string[];
  /** Files that somebody had before Hearth and that come back when the release names them no longer, with their content. */
  originals: Map<string, Buffer | undefined>;
}

/** The rows of observe.sh by subject; kinds that are not known here are left out. */
export function parseObservation(rows: string[][]): Observation {
  const seen: Observation = {
    identity: new Map(),
    packages: new Map(),
    brings: [],
    repositories: new Map(),
    users: new Map(),
    directories: new Map(),
    files: new Map(),
    links: new Map(),
    secrets: new Map(),
    images: new Set(),
    containerSecrets: new Map(),
    environments: new Map(),
    tasks: new Map(),
    units: new Map(),
    revisions: new Map(),
    health: new Map(),
    conflicts: new Map(),
    foreign: [],
    obstacles: [],
    changed: [],
    pending: [],
    blocked: [],
    originals: new Map(),
  };
  for (const [kind = "", ...columns] of rows) ROWS[kind]?.(seen, rowOf(columns));
  return seen;
}

/** The columns of a row after its kind. */
interface Row {
  key: string;
  second: string;
  third: string;
  fourth: string;
  fifth: string;
  sixth: string | undefined;
  /** What is asked for is not there. */
  gone: boolean;
  /** Of a file, a directory or a secret. */
  access: Ownership;
}

function rowOf([key = "", second = "-", third = "-", fourth = "-", fifth = "-", sixth]: string[]): Row {
  const access = { mode: second, owner: third, group: fourth };
  return { key, second, third, fourth, fifth, sixth, gone: second === "-", access };
}

/** What each kind of row adds. */
const ROWS: Readonly<Record<string, (seen: Observation, row: Row) => void>> = {
  lock: (seen, { key, second }) => {
    seen.lock = { operator: key, seconds: Number(second) };
  },
  journal: (seen, { key, second, third, fourth }) => {
    seen.journal = { state: key, apply: second, seconds: Number(third), release: fourth };
  },
  release: (seen, { key, second, third }) => {
    if (key !== "-") seen.release = { instance: key, generation: Number(second), urn: third };
  },
  identity: (seen, { key, second }) => seen.identity.set(key, second),
  package: (seen, { key, second, gone }) => seen.packages.set(key, gone ? undefined : second),
  brings: (seen, { key, second, third }) => {
    if (key === "-") seen.brings = "unknown";
    else if (seen.brings !== "unknown") {
      const versions = {
        ...(second === "-" ? {} : { from: second }),
        ...(third === "-" ? {} : { to: third }),
      };
      seen.brings.push({ name: key, ...versions });
    }
  },
  repository: (seen, { key, second }) => seen.repositories.set(key, second),
  user: (seen, { key, second, third, gone }) => {
    const groups = third === "-" ? [] : third.split(",");
    seen.users.set(key, gone ? undefined : { home: second, groups });
  },
  directory: (seen, { key, access, gone }) => seen.directories.set(key, gone ? undefined : access),
  file: (seen, { key, access, fifth, sixth, gone }) => {
    seen.files.set(key, gone ? undefined : { ...access, sha256: fifth, content: decode(sixth) });
  },
  link: (seen, { key, second, gone }) => seen.links.set(key, gone ? undefined : second),
  secret: (seen, { key, access, fifth, gone }) => {
    seen.secrets.set(key, gone ? undefined : { ...access, fingerprint: fifth });
  },
  image: (seen, { key, second }) => {
    if (second === "present") seen.images.add(key);
  },
  "container-secret": (seen, { key, second, gone }) => {
    seen.containerSecrets.set(key, gone ? undefined : second);
  },
  environment: (seen, { key, second }) => seen.environments.set(key, second),
  task: (seen, { key, second }) => seen.tasks.set(key, second),
  unit: (seen, { key, second, third, fourth }) => {
    seen.units.set(key, { enabled: second, active: third, sub: fourth });
  },
  revision: (seen, { key, second, gone }) => seen.revisions.set(key, gone ? undefined : second),
  health: (seen, { key, second }) => seen.health.set(key, second),
  conflict: (seen, { key, second }) => seen.conflicts.set(key, second),
  foreign: (seen, { key }) => seen.foreign.push(key),
  obstacle: (seen, { key, second }) => seen.obstacles.push({ text: key, fix: second }),
  changed: (seen, { key }) => seen.changed.push(key),
  pending: (seen, { key }) => seen.pending.push(key),
  blocked: (seen, { key }) => seen.blocked.push(key),
  original: (seen, { key, second, gone }) => seen.originals.set(key, decode(gone ? undefined : second)),
};

function decode(base64: string | undefined): Buffer | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, "base64");
}
