import type { PublishedFact } from "../../../contract/release";
import { object, optional, record } from "../../../protocol/shape";
import { noun } from "../noun";
import { argvFile, table } from "../tables";
import { account, argv, word } from "./words";

export interface PublishesSeen {
  /** Facts by name; those whose program prints nothing at present are missing. */
  published: Map<string, string>;
}

export const publishes = noun<"publishes", PublishesSeen>({
  name: "publishes",
  shape: record(word, object<PublishedFact>({ argv, user: optional(account) })),
  request: (inputs) => {
    const all = Object.entries(inputs.publishes);
    return [
      table(
        "publishes",
        all.map(([name, { user }], index) => [String(index), name, user ?? "-"]),
      ),
      ...all.map(([, { argv: words }], index) => argvFile(`publish.${index}`, words)),
    ];
  },
  empty: () => ({ published: new Map() }),
  rows: {
    published: (seen, { key, second, gone }) => {
      if (!gone) seen.published.set(key, second);
    },
  },
  internal: "all",
  addedLater: true,
});
