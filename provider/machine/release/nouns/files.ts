import { isUtf8 } from "node:buffer";
import type { HostFile, Ownership, ReleaseInputs } from "../../../contract/release";
import { object, optional, record, text } from "../../../protocol/shape";
import { isObject, type Properties } from "../../../protocol/values";
import { sha256 } from "../digest";
import { withHeader, withoutHeader } from "../header";
import { changedKeys, entries, member, pick, same } from "../maps";
import { decode, noun } from "../noun";
import { table } from "../tables";
import { ownedPart } from "./sources";
import { line, ownership, path } from "./words";

export interface FilesSeen {
  files: Map<string, (Ownership & { sha256: string; content: Buffer | undefined }) | undefined>;
  /** Files that somebody had before Hearth and that come back when the release names them no longer, with their content. */
  originals: Map<string, Buffer | undefined>;
  /** Paths of the request that another release owns, and which one. */
  conflicts: Map<string, string>;
  /** Paths that exist and belong to no release. */
  foreign: string[];
}

const file = object<HostFile>({
  ...ownership,
  content: text({
    write: "text that ends with a newline",
    multiline: true,
    normalise: (value) => (value === "" || value.endsWith("\n") ? value : `${value}\n`),
    refuse: (value) => (value.includes("\0") ? "contains a NUL byte" : undefined),
  }),
  fills: optional(
    record(line("a placeholder such as @TOKEN@: capital letters, digits and _", /^@[A-Z][A-Z0-9_]*@$/), path),
  ),
});

/** Files as they lie on the host, without the line that Check puts before them. */
function contentsOf(inputs: ReleaseInputs) {
  return Object.entries(inputs.files).map(([place, item]) => ({
    place,
    item,
    content: withoutHeader(place, item.content),
  }));
}

export const files = noun<"files", FilesSeen>({
  name: "files",
  shape: record(path, file),
  request: (inputs) => [
    table(
      "files",
      contentsOf(inputs).map(({ place, item, content }, index) => [
        ...[String(index), place, item.mode, item.owner, item.group, sha256(content)],
      ]),
    ),
    table(
      "fills",
      Object.entries(inputs.files).flatMap(([place, { fills = {} }]) =>
        Object.entries(fills).map(([placeholder, secret]) => [place, placeholder, secret]),
      ),
    ),
  ],
  contents: (inputs) =>
    contentsOf(inputs).map(({ content }, index) => ({ name: `request/content/${index}`, content })),
  empty: () => ({ files: new Map(), originals: new Map(), conflicts: new Map(), foreign: [] }),
  rows: {
    file: (seen, { key, access, fifth, sixth, gone }) => {
      seen.files.set(key, gone ? undefined : { ...access, sha256: fifth, content: decode(sixth) });
    },
    original: (seen, { key, second, gone }) => seen.originals.set(key, decode(gone ? undefined : second)),
    conflict: (seen, { key, second }) => seen.conflicts.set(key, second),
    foreign: (seen, { key }) => seen.foreign.push(key),
  },
  observed: (inputs, seen) => pick(inputs.files, (place, item) => observedFile(place, item, seen)),
  subject: "",
  changed: (olds, news) => [...new Set([...changedKeys(olds, news, "files"), ...refilled(olds, news)])],
  ownsPaths: true,
  told: true,
});

/** Files that the host fills with a secret that is new or gets another value. */
function refilled(olds: Properties, news: Properties): string[] {
  const secretOf = (inputs: Properties, secret: string) => ownedPart(member(inputs.secrets, secret) ?? null);
  return entries(news.files)
    .filter(([, item]) => isObject(item) && isObject(item.fills))
    .filter(([, item]) =>
      entries(isObject(item) ? item.fills : undefined).some(
        ([, secret]) => !same(secretOf(olds, String(secret)), secretOf(news, String(secret))),
      ),
    )
    .map(([place]) => place);
}

function observedFile(place: string, item: HostFile, seen: FilesSeen): HostFile | undefined {
  const found = seen.files.get(place);
  if (!found) return undefined;
  const { mode, owner, group } = found;
  const fills = item.fills === undefined ? {} : { fills: item.fills };
  if (found.sha256 === sha256(withoutHeader(place, item.content)))
    return { mode, owner, group, content: item.content, ...fills };
  if (item.fills !== undefined)
    return { mode, owner, group, content: withHeader(place, NOT_AS_FILLED), ...fills };
  return { mode, owner, group, content: withHeader(place, unownedContent(found.sha256, found.content)) };
}

/** The host does not send what may contain a secret. */
const NOT_AS_FILLED = "(something else, not shown: it may contain secrets)\n";

/** What lies there instead of our content, as text that a diff can show. */
function unownedContent(digest: string, content: Buffer | undefined): string {
  if (content === undefined && digest === "-") return NOT_AS_FILLED;
  if (content === undefined) return `(something too large to show, SHA-256 ${digest})\n`;
  if (!isUtf8(content) || content.includes(0)) return `(something that is not text, SHA-256 ${digest})\n`;
  return content.toString("utf8");
}
