import type { PythonEnvironment } from "../../../contract/release";
import { flag, list, object, record } from "../../../protocol/shape";
import { pick } from "../maps";
import { noun } from "../noun";
import { lines, table } from "../tables";
import { line, path } from "./words";

export interface EnvironmentsSeen {
  environments: Map<string, string>;
}

const environment = object<PythonEnvironment>({
  python: path,
  requirements: list(
    // States of earlier versions have no hashes; rules.ts wants them.
    line(
      "an exact pin with the hash of its wheel, such as name==1.2.3 --hash=sha256:…",
      /^[A-Za-z0-9][\w.-]*(\[[\w,.-]+\])?==[\w.+!-]+( --hash=sha256:[0-9a-f]{64})*$/,
    ),
    { least: 1 },
  ),
  systemSitePackages: flag,
});

export const environments = noun<"environments", EnvironmentsSeen>({
  name: "environments",
  shape: record(path, environment),
  scope: "system",
  request: (inputs) => {
    const all = Object.entries(inputs.environments);
    return [
      table(
        "environments",
        all.map(([place, item], index) => [
          ...[String(index), place, item.python, item.systemSitePackages ? "1" : "0"],
        ]),
      ),
      ...all.map(([, item], index) => ({
        name: `request/requirements/${index}`,
        content: lines(item.requirements),
      })),
    ];
  },
  empty: () => ({ environments: new Map() }),
  rows: { environment: (seen, { key, second }) => seen.environments.set(key, second) },
  observed: (inputs, seen) =>
    pick(inputs.environments, (place, item) => (seen.environments.get(place) === "ready" ? item : undefined)),
  subject: "environment:",
  lasting: "Python environment",
  told: true,
});
