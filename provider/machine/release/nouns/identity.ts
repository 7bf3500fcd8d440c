import { record } from "../../../protocol/shape";
import { pick } from "../maps";
import { noun } from "../noun";
import { table } from "../tables";
import { line, word } from "./words";

export interface IdentitySeen {
  identity: Map<string, string>;
}

export const identity = noun<"identity", IdentitySeen>({
  name: "identity",
  shape: record(word, line("a fact of one line", /./)),
  request: (inputs) => [table("identity", Object.entries(inputs.identity))],
  empty: () => ({ identity: new Map() }),
  rows: { identity: (seen, { key, second }) => seen.identity.set(key, second) },
  observed: (inputs, seen) => pick(inputs.identity, (key, value) => seen.identity.get(key) ?? value),
  internal: "all",
});
