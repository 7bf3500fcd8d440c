import { isUtf8 } from "node:buffer";
import type { HostFile, Ownership, ReleaseInputs } from "../../../contract/release";
import { object, record, text } from "../../../protocol/shape";
import { sha256 } from "../digest";
import { withHeader, withoutHeader } from "../header";
import { pick } from "../maps";
import { decode, noun } from "../noun";
import { table } from "../tables";
import { ownership, path } from "./words";

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
  ownsPaths: true,
  told: true,
});

function observedFile(place: string, item: HostFile, seen: FilesSeen): HostFile | undefined {
  const found = seen.files.get(place);
  if (!found) return undefined;
  const { mode, owner, group } = found;
  if (found.sha256 === sha256(withoutHeader(place, item.content)))
    return { mode, owner, group, content: item.content };
  return { mode, owner, group, content: withHeader(place, unownedContent(found.sha256, found.content)) };
}

/** What lies there instead of our content, as text that a diff can show. */
function unownedContent(digest: string, content: Buffer | undefined): string {
  if (content === undefined) return `(something too large to show, SHA-256 ${digest})\n`;
  if (!isUtf8(content) || content.includes(0)) return `(something that is not text, SHA-256 ${digest})\n`;
  return content.toString("utf8");
}
