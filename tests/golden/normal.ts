import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { questions } from "../../components/hosts/facts";
import { type ProgramRun, unwrap } from "../../plan/record";

const ROOT = join(__dirname, "../..");
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n?/g;
const PROJECT = /\/[^"'\s]*hearth-program-\w+/g;

/** A resource in the golden record. */
export interface Recorded {
  type: string;
  parent: string;
  dependsOn: string[];
  inputs: unknown;
}

/** Texts that are separate files in this repository, by their content: the record contains their names. */
const KNOWN: ReadonlyMap<string, string> = new Map(
  ["components", "provider", "runtimes"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(sh|py)$/.test(file))
      .map(
        (file) => [readFileSync(join(ROOT, folder, file), "utf8"), `[program ${basename(file)}]`] as const,
      ),
  ),
);

/** The columns of all distributions, as a Host with each runtime gets them: one more is no other answer of the program. */
const COLUMNS: ReadonlyMap<string, string> = new Map(
  (["native", "quadlet"] as const).map((runtime) => [
    JSON.stringify(shorten(questions(runtime).distributions)),
    `[hosts/distributions.ts for runtime ${runtime}]`,
  ]),
);

/** The resources of a run, by name and sorted; without values of this run only and texts of separate files. */
export function normal(run: ProgramRun): Record<string, Recorded> {
  const entries = run.resources.map(({ type, name, parent, dependsOn, inputs }) => {
    const shown = shorten(
      unwrap(type.endsWith(":Release") ? withoutEmpty(inputs) : inputs, () => "[secret]"),
    );
    return [`${type} ${name}`, { type, parent, dependsOn, inputs: shown }] as const;
  });
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** An absent map of a Release is an empty one: they mean the same to the provider. */
function withoutEmpty(inputs: Record<string, unknown>): Record<string, unknown> {
  const isEmpty = (value: unknown) =>
    typeof value === "object" && value !== null && Object.keys(value).length === 0;
  return Object.fromEntries(Object.entries(inputs).filter(([, value]) => !isEmpty(value)));
}

function shorten(value: unknown): unknown {
  if (typeof value === "string") {
    return (
      KNOWN.get(value) ?? value.replaceAll(CERTIFICATE, "[certificate]\n").replaceAll(PROJECT, "[project]")
    );
  }
  if (Array.isArray(value)) return isLock(value) ? [`[${value.length} locked wheels]`] : value.map(shorten);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, child]) => [key, shorten(child)] as const);
  const sorted = Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
  const known = "distributions" in sorted && COLUMNS.get(JSON.stringify(sorted.distributions));
  return known ? { ...sorted, distributions: known } : sorted;
}

function isLock(value: readonly unknown[]): boolean {
  return (
    value.length > 0 && value.every((item) => typeof item === "string" && item.includes(" --hash=sha256:"))
  );
}

/** The differences of `other` from `base`: values at their paths, null for missing ones. */
export function difference(base: unknown, other: unknown, path = ""): Record<string, unknown> {
  if (JSON.stringify(base) === JSON.stringify(other)) return {};
  const [one, two] = [asMap(base), asMap(other)];
  if (one === undefined || two === undefined) return { [path]: other ?? null };
  const keys = [...new Set([...Object.keys(one), ...Object.keys(two)])].sort();
  return Object.assign(
    {},
    ...keys.map((key) => difference(one[key], two[key], path ? `${path} > ${key}` : key)),
  );
}

function asMap(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
