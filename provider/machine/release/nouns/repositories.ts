import type { AptRepository } from "../../../contract/release";
import { object, record, text } from "../../../protocol/shape";
import { pick } from "../maps";
import { noun } from "../noun";
import { table } from "../tables";
import { line, word } from "./words";

export interface RepositoriesSeen {
  repositories: Map<string, string>;
}

const repository = object<AptRepository>({
  uris: line("the URI of an apt repository", /^https?:\/\/\S+$/),
  suites: line("suites", /^\S+( \S+)*$/),
  components: line("components", /^\S+( \S+)*$/),
  keyBase64: line("the repository's key as base64", /^[A-Za-z0-9+/]+={0,2}$/),
  fingerprint: text({
    write: "the key's fingerprint, 40 hexadecimal digits",
    normalise: (value) => value.replaceAll(" ", "").toUpperCase(),
    pattern: /^[0-9A-F]{40}$/,
  }),
});

export const repositories = noun<"repositories", RepositoriesSeen>({
  name: "repositories",
  shape: record(word, repository),
  scope: "system",
  request: (inputs) => {
    const all = Object.entries(inputs.repositories);
    return [
      table(
        "repositories",
        all.map(([name, item]) => [name, item.uris, item.suites, item.components, item.fingerprint]),
      ),
      ...all.map(([name, item]) => ({
        name: `request/keys/${name}`,
        content: Buffer.from(item.keyBase64, "base64"),
      })),
    ];
  },
  empty: () => ({ repositories: new Map() }),
  rows: { repository: (seen, { key, second }) => seen.repositories.set(key, second) },
  observed: (inputs, seen) =>
    pick(inputs.repositories, (name, item) => (seen.repositories.get(name) === "ready" ? item : undefined)),
  lasting: "apt repository",
  told: true,
});
