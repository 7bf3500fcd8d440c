import type { HostSecret, Ownership } from "../../../contract/release";
import { object, record } from "../../../protocol/shape";
import { pick } from "../maps";
import { noun } from "../noun";
import { table } from "../tables";
import {
  givenFiles,
  observedSource,
  ownedPart,
  SOURCE_INTERNAL,
  source,
  sourceDetail,
  sourcePrograms,
} from "./sources";
import { ownership, path } from "./words";

export interface SecretsSeen {
  secrets: Map<string, (Ownership & { fingerprint: string }) | undefined>;
}

/** Secret files: what they are to be, never a value. */
export const secrets = noun<"secrets", SecretsSeen>({
  name: "secrets",
  shape: record(path, object<HostSecret>({ ...ownership, source })),
  request: (inputs, fingerprints) => [
    table(
      "secrets",
      Object.entries(inputs.secrets).map(([place, item], index) => [
        ...[String(index), place, item.mode, item.owner, item.group],
        ...[item.source.kind, sourceDetail(item.source), fingerprints[place] ?? "-"],
      ]),
    ),
    ...sourcePrograms("secret", inputs.secrets),
  ],
  contents: (inputs) => givenFiles("given", "secrets", inputs.secrets),
  empty: () => ({ secrets: new Map() }),
  rows: {
    secret: (seen, { key, access, fifth, gone }) => {
      seen.secrets.set(key, gone ? undefined : { ...access, fingerprint: fifth });
    },
  },
  observed: (inputs, seen) =>
    pick(inputs.secrets, (place, item) => {
      const found = seen.secrets.get(place);
      if (!found) return undefined;
      const { mode, owner, group, fingerprint } = found;
      return { mode, owner, group, source: observedSource(item.source, fingerprint) };
    }),
  subject: "",
  part: ownedPart,
  ownsPaths: true,
  lasting: "secret",
  told: true,
  internal: SOURCE_INTERNAL,
});
