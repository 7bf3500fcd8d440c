import { record } from "../../../protocol/shape";
import { pick } from "../maps";
import { noun } from "../noun";
import { table } from "../tables";
import { line, word } from "./words";

export interface RevisionsSeen {
  revisions: Map<string, string | undefined>;
}

export const revisions = noun<"revisions", RevisionsSeen>({
  name: "revisions",
  shape: record(word, line("a revision of one line", /./)),
  request: (inputs) => [table("revisions", Object.entries(inputs.revisions))],
  empty: () => ({ revisions: new Map() }),
  rows: { revision: (seen, { key, second, gone }) => seen.revisions.set(key, gone ? undefined : second) },
  observed: (inputs, seen) => pick(inputs.revisions, (name) => seen.revisions.get(name)),
  subject: "revision:",
  internal: "all",
});
