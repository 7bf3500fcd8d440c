import type { ContainerSecret } from "../../../contract/release";
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
import { word } from "./words";

export interface ContainerSecretsSeen {
  /** Podman secret to fingerprint. */
  containerSecrets: Map<string, string | undefined>;
}

const SUBJECT = "container-secret:";

/** How outputs and triggers name a Podman secret, along with the paths of secret files. */
export function containerSecretKey(name: string): string {
  return SUBJECT + name;
}

export const containerSecrets = noun<"containerSecrets", ContainerSecretsSeen>({
  name: "containerSecrets",
  shape: record(word, object<ContainerSecret>({ source })),
  scope: "user",
  request: (inputs, fingerprints) => [
    table(
      "container-secrets",
      Object.entries(inputs.containerSecrets).map(([name, { source: from }], index) => [
        ...[String(index), name, from.kind, sourceDetail(from)],
        fingerprints[containerSecretKey(name)] ?? "-",
      ]),
    ),
    ...sourcePrograms("container-secret", inputs.containerSecrets),
  ],
  contents: (inputs) => givenFiles("container-given", "containerSecrets", inputs.containerSecrets),
  empty: () => ({ containerSecrets: new Map() }),
  rows: {
    "container-secret": (seen, { key, second, gone }) => {
      seen.containerSecrets.set(key, gone ? undefined : second);
    },
  },
  observed: (inputs, seen) =>
    pick(inputs.containerSecrets, (name, item) => {
      const fingerprint = seen.containerSecrets.get(name);
      return fingerprint === undefined ? undefined : { source: observedSource(item.source, fingerprint) };
    }),
  subject: SUBJECT,
  part: ownedPart,
  lasting: "Podman secret",
  told: true,
  internal: SOURCE_INTERNAL,
  addedLater: true,
});
