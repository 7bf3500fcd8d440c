import { record } from "../../../protocol/shape";
import { entries, member, pick, same } from "../maps";
import { noun } from "../noun";
import { table } from "../tables";
import { line } from "./words";

export interface PackagesSeen {
  packages: Map<string, string | undefined>;
  /** What apt would do along with the packages that are missing; `unknown`: it cannot tell yet. */
  brings: { name: string; from?: string; to?: string }[] | "unknown";
}

export const packages = noun<"packages", PackagesSeen>({
  name: "packages",
  shape: record(
    line("the name of an apt package", /^[a-z0-9][a-z0-9+.-]*$/),
    line('a version, or "any"', /^(any|[0-9][A-Za-z0-9.+:~-]*)$/),
  ),
  scope: "system",
  request: (inputs) => [table("packages", Object.entries(inputs.packages))],
  empty: () => ({ packages: new Map(), brings: [] }),
  rows: {
    package: (seen, { key, second, gone }) => seen.packages.set(key, gone ? undefined : second),
    brings: (seen, { key, second, third }) => {
      if (key === "-") seen.brings = "unknown";
      else if (seen.brings !== "unknown") {
        const from = second === "-" ? {} : { from: second };
        const to = third === "-" ? {} : { to: third };
        seen.brings.push({ name: key, ...from, ...to });
      }
    },
  },
  observed: (inputs, seen) =>
    pick(inputs.packages, (name, wanted) => {
      const version = seen.packages.get(name);
      return version !== undefined && wanted === "any" ? wanted : version;
    }),
  // Units never name it: one that came or changed restarts all of the release.
  subject: "package:",
  changed: (olds, news) =>
    entries(news.packages).flatMap(([name, wanted]) => {
      const version = member(olds.packages, name);
      return version === undefined || (!same(version, wanted) && wanted !== "any") ? [name] : [];
    }),
  lasting: "package",
  told: true,
});
