import { isObject, type Properties, UNKNOWN, type Value } from "../../protocol/values";
import { visibleLines } from "../../text";
import type { Observation } from "./answer";
import { accessOf, type EntryPlan, line } from "./entries";
import { withoutHeader } from "./header";
import { canonical, keysOf, member, missing } from "./maps";

/** Files that come or go as a whole. Their lines are told by us: the engine shows three of a text that it has nothing to compare with. */
export interface FilePlan {
  writes: string[];
  overwrites: string[];
  removes: string[];
  restores: string[];
}

/** What happens to the files that are not in both the state and the wanted inputs. */
export function filePlan({ olds, there, news }: EntryPlan, seen: Pick<Observation, "originals">): FilePlan {
  const come = keysOf(news.files).filter((path) => member(olds.files, path) === undefined);
  const gone = missing("files", news, olds);
  const comesBack = (path: string) => seen.originals.has(path);
  return {
    writes: come.filter((path) => member(there.files, path) === undefined),
    overwrites: come.filter((path) => {
      const found = member(there.files, path);
      return found !== undefined && canonical(found) !== canonical(member(news.files, path));
    }),
    removes: gone.filter((path) => !comesBack(path)),
    restores: gone.filter(comesBack),
  };
}

/** Their names, for the message that stays. */
export function fileLines({ writes, overwrites, removes, restores }: FilePlan): string[] {
  return [
    line("writes", writes),
    line("overwrites", overwrites),
    line("removes", removes),
    line("gives back what was there before Hearth:", restores),
  ].flat();
}

/** Their whole texts, line by line, for `preview --diff`. */
export function fileTexts(
  { olds, there, news }: EntryPlan,
  seen: Pick<Observation, "originals">,
  plan: FilePlan,
): string[] {
  const wanted = (path: string) => contentLines("+", path, member(news.files, path));
  return [
    ...plan.writes.flatMap((path) => [`+ ${path} (${accessOf(member(news.files, path))})`, ...wanted(path)]),
    ...plan.overwrites.flatMap((path) => [
      `~ ${path} (${accessOf(member(news.files, path))})`,
      ...contentLines("-", path, member(there.files, path)),
      ...wanted(path),
    ]),
    ...plan.removes.flatMap((path) => [`- ${path}`, ...contentLines("-", path, member(olds.files, path))]),
    ...plan.restores.flatMap((path) => [
      `~ ${path} (what was there before Hearth)`,
      ...contentLines("-", path, member(olds.files, path)),
      ...textLines("+", seen.originals.get(path)?.toString("utf8") ?? "(not shown)\n"),
    ]),
  ];
}

function contentLines(sign: string, path: string, file: Value | undefined): string[] {
  if (!isObject(file) || typeof file.content !== "string") return [];
  if (file.content === UNKNOWN) return [`    ${sign} (not known yet)`];
  return textLines(sign, withoutHeader(path, file.content));
}

function textLines(sign: string, text: string): string[] {
  return visibleLines(text)
    .replace(/\n$/, "")
    .split("\n")
    .map((row) => `    ${sign} ${row}`.trimEnd());
}

/** The inputs of the state whose entries the wanted ones do not name, together with what the host has of the wanted ones. */
export function hostView(olds: Properties, wanted: Properties, observed: Properties): Properties {
  const maps = Object.entries(observed).map(([key, value]): [string, Value] => {
    const [old, asked] = [olds[key], wanted[key]];
    if (Array.isArray(value) && Array.isArray(old))
      return [key, [...new Set([...value, ...left(old, asked)])]];
    if (!isObject(value) || !isObject(old) || key === "connection") return [key, value];
    const departed = Object.entries(old).filter(([name]) => member(asked, name) === undefined);
    return [key, { ...Object.fromEntries(departed), ...value }];
  });
  return Object.fromEntries(maps);
}

function left(old: Value[], asked: Value | undefined): Value[] {
  return old.filter((item) => !Array.isArray(asked) || !asked.includes(item));
}
