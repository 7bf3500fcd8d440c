import type { Ownership, ReleaseInputs } from "../../contract/release";
import type { Shape } from "../../protocol/shape";
import type { Properties, Value } from "../../protocol/values";
import type { CallFile } from "../../transport/bootstrap";

/**
 * One kind of thing that a Release has: everything that the provider has to know of it. Its module is in `nouns/`; what the host
 * does with it is in `programs/lib/`.
 */
export interface Noun<Name extends keyof ReleaseInputs, Seen extends object> {
  /** Name of its map, or list, in the inputs. */
  name: Name;
  shape: Shape<ReleaseInputs[Name]>;
  /** The only scope that can have it; absent: both can. */
  scope?: ReleaseInputs["scope"];
  /** What the host is asked with, without contents and without secrets. `fingerprints` are those of the state. */
  request?(inputs: ReleaseInputs, fingerprints: Readonly<Record<string, string>>): CallFile[];
  /** What an apply needs on top: contents and given secrets. */
  contents?(inputs: ReleaseInputs): CallFile[];
  /** Nothing of it seen yet. */
  empty?(): Seen;
  /** What each kind of row of an answer adds. */
  rows?: Readonly<Record<string, (seen: Seen, row: Row) => void>>;
  /** The inputs as the host has them; absent: it is nothing on the host, and taken over as it is. */
  observed?(inputs: ReleaseInputs, seen: Seen): ReleaseInputs[Name];
  /** What stands before its key in the lists of units, e.g. `task:`; absent: no unit can depend on it. */
  subject?: string;
  /** What must differ in an entry to concern units that depend on it. Default: anything. */
  part?(item: Value): Value | undefined;
  /** What of it is new or different for units. Default: by `part`. */
  changed?(olds: Properties, news: Properties): string[];
  /** Whether its keys are paths of which a release is the only owner. */
  ownsPaths?: boolean;
  /** What an entry is called; for entries that stay on the host when nothing names them any more. */
  lasting?: string;
  /** Whether entries that come or go as a whole are told by the words of a preview, because only the host knows what they mean. */
  told?: boolean;
  /** Which parts of an entry say how Hearth works, and not what the host is to be: never shown in a difference. */
  internal?: "all" | readonly string[];
  /** Whether states of earlier versions do not have it. */
  addedLater?: boolean;
}

/** Fixes the types of a noun. */
export function noun<Name extends keyof ReleaseInputs, Seen extends object = object>(
  one: Noun<Name, Seen>,
): Noun<Name, Seen> {
  return one;
}

/** The columns of a row of an answer, after its kind. */
export interface Row {
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

export function rowOf([
  key = "",
  second = "-",
  third = "-",
  fourth = "-",
  fifth = "-",
  sixth,
]: string[]): Row {
  const access = { mode: second, owner: third, group: fourth };
  return { key, second, third, fourth, fifth, sixth, gone: second === "-", access };
}

/** Bytes of a column; undefined where there are none. */
export function decode(base64: string | undefined): Buffer | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, "base64");
}
