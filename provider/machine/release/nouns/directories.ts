import type { Ownership } from "../../../contract/release";
import { object, record } from "../../../protocol/shape";
import { pick } from "../maps";
import { noun } from "../noun";
import { table } from "../tables";
import { ownership, path } from "./words";

export interface DirectoriesSeen {
  directories: Map<string, Ownership | undefined>;
}

export const directories = noun<"directories", DirectoriesSeen>({
  name: "directories",
  shape: record(path, object<Ownership>(ownership)),
  request: (inputs) => [
    table(
      "directories",
      Object.entries(inputs.directories).map(([place, item]) => [place, item.mode, item.owner, item.group]),
    ),
  ],
  empty: () => ({ directories: new Map() }),
  rows: {
    directory: (seen, { key, access, gone }) => seen.directories.set(key, gone ? undefined : access),
  },
  observed: (inputs, seen) => pick(inputs.directories, (place) => seen.directories.get(place)),
  subject: "",
  ownsPaths: true,
  lasting: "directory",
  told: true,
});
