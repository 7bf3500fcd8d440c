import type { HealthProbe } from "../../../contract/release";
import { integer, kinds, object, oneOf, record } from "../../../protocol/shape";
import { noun } from "../noun";
import { argvFile, table } from "../tables";
import { argv, line, word } from "./words";

export interface HealthSeen {
  /** Probe to `ok` or what was seen instead. */
  health: Map<string, string>;
}

const seconds = integer(1, 3600);

const probe = kinds<HealthProbe>({
  http: object({
    kind: oneOf("http"),
    url: line("a URL as the host itself reaches it", /^https?:\/\/\S+$/),
    status: integer(100, 599),
    timeoutSeconds: seconds,
  }),
  command: object({ kind: oneOf("command"), argv, timeoutSeconds: seconds }),
});

export const health = noun<"health", HealthSeen>({
  name: "health",
  shape: record(word, probe),
  request: (inputs) => {
    const all = Object.entries(inputs.health);
    return [
      table(
        "health",
        all.map(([name, item], index) => [
          ...[String(index), name, item.kind, String(item.timeoutSeconds)],
          ...(item.kind === "http" ? [item.url, String(item.status)] : ["-", "-"]),
        ]),
      ),
      ...all.flatMap(([, item], index) =>
        item.kind === "command" ? [argvFile(`health.${index}`, item.argv)] : [],
      ),
    ];
  },
  empty: () => ({ health: new Map() }),
  rows: { health: (seen, { key, second }) => seen.health.set(key, second) },
  internal: "all",
});
