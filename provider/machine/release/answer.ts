import { type Row, rowOf } from "./noun";
import { NOUNS, type NounsSeen } from "./nouns";

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

/** What observe.sh saw: of the release as a whole, and of each noun. Maps hold undefined for what is asked for and not there. */
export interface Observation extends NounsSeen {
  lock?: { operator: string; seconds: number };
  /** A change that was cut off; `release` is the one it was about. */
  journal?: { state: string; apply: string; seconds: number; release: string };
  release?: { instance: string; generation: number; urn: string };
  /** What differs from what the last apply recorded. */
  changed: string[];
  /** Why the request cannot be carried out here as things are. */
  blocked: string[];
}

/** The rows of observe.sh by subject; kinds that are not known here are left out. */
export function parseObservation(rows: string[][]): Observation {
  const seen: Observation = Object.assign(
    { changed: [], blocked: [] },
    ...NOUNS.map((noun) => noun.empty?.() ?? {}),
  );
  for (const [kind = "", ...columns] of rows) ROWS[kind]?.(seen, rowOf(columns));
  return seen;
}

/** What each kind of row adds. */
const ROWS: Readonly<Record<string, (seen: Observation, row: Row) => void>> = Object.assign(
  {
    lock: (seen: Observation, { key, second }: Row) => {
      seen.lock = { operator: key, seconds: Number(second) };
    },
    journal: (seen: Observation, { key, second, third, fourth }: Row) => {
      seen.journal = { state: key, apply: second, seconds: Number(third), release: fourth };
    },
    release: (seen: Observation, { key, second, third }: Row) => {
      if (key !== "-") seen.release = { instance: key, generation: Number(second), urn: third };
    },
    changed: (seen: Observation, { key }: Row) => seen.changed.push(key),
    blocked: (seen: Observation, { key }: Row) => seen.blocked.push(key),
  },
  ...NOUNS.map(({ rows }) => rows ?? {}),
);
