import { isObject, type Properties, type Value } from "../../protocol/values";
import { changedKeys, entries, keysOf, member, missing } from "./maps";
import { NOUNS } from "./nouns";
import { newImages } from "./nouns/images";

/** Names of one kind that one line lists; a first installation has dozens. */
const LISTED = 8;

/** Nouns whose entries outlive the release, and what one entry is called. */
const LASTING = NOUNS.flatMap(({ name, lasting }) =>
  lasting === undefined ? [] : [[name, lasting] as const],
);

/** What becomes of whole entries: what is made, what was there all along, what stays although nothing names it any more. */
export interface EntryPlan {
  /** The inputs in the state, as the host has them; empty on create. */
  olds: Properties;
  /** What of the wanted inputs is on the host now. */
  there: Properties;
  news: Properties;
}

/** One line for each thing that happens (or, against what one might think, does not). */
export function entryLines(plan: EntryPlan): string[] {
  return [
    line("makes", made(plan)),
    line("is there already and is kept:", present(plan)),
    line("sets mode and owner of", access(plan)),
    ...joins(plan),
    ...tasks(plan),
    line("stays on the host:", staying(plan)),
  ].flat();
}

function made({ there, news }: EntryPlan): string[] {
  const kinds = LASTING.filter(([map]) => map !== "packages" && map !== "environments");
  return kinds.flatMap(([map, noun]) => missing(map, there, news).map((key) => `${noun} ${key}`));
}

function present({ olds, there, news }: EntryPlan): string[] {
  const kinds = LASTING.flatMap(([map, noun]) =>
    keysOf(there[map])
      .filter((key) => member(olds[map], key) === undefined && member(news[map], key) !== undefined)
      .filter((key) => isKept(member(there[map], key), member(news[map], key)))
      .map((key) => `${noun} ${key}`),
  );
  const images = newImages(olds, there).map((image) => `image ${image}`);
  return [...kinds, ...images];
}

/** A given secret of another value is replaced; everything else that is there stays, but for its mode and owner. */
function isKept(there: Value | undefined, wanted: Value | undefined): boolean {
  if (typeof there === "string" && typeof wanted === "string") return wanted === "any" || there === wanted;
  return givenValue(there) === givenValue(wanted);
}

function givenValue(item: Value | undefined): string {
  const source = isObject(item) && isObject(item.source) ? item.source : {};
  return source.kind === "given" ? JSON.stringify(source.value ?? null) : "";
}

/** Of entries that are new in the inputs and on the host already; the others' are in the difference. */
function access({ olds, there, news }: EntryPlan): string[] {
  return ["directories", "secrets"].flatMap((map) =>
    changedKeys(there, news, map, (item) =>
      isObject(item) ? [item.mode ?? null, item.owner ?? null, item.group ?? null] : item,
    )
      .filter((key) => member(there[map], key) !== undefined && member(olds[map], key) === undefined)
      .map((key) => `${key} to ${accessOf(member(news[map], key))}`),
  );
}

/** `0640 root:web`. */
export function accessOf(item: Value | undefined): string {
  return isObject(item) ? `${String(item.mode)} ${String(item.owner)}:${String(item.group)}` : "";
}

/** Hearth adds users to groups and takes them out of none. */
function joins({ there, news }: EntryPlan): string[] {
  return entries(news.users).flatMap(([name, user]) => {
    const had = member(there.users, name);
    if (!isObject(user) || !isObject(had)) return [];
    const groups = list(user.groups).filter((group) => !list(had.groups).includes(group));
    return groups.length > 0 ? [`user ${name} joins ${groups.join(", ")}`] : [];
  });
}

/** Tasks that are new in the inputs; of the others the difference shows what is wanted. */
function tasks({ olds, there, news }: EntryPlan): string[] {
  return changedKeys(there, news, "tasks", (task) => (isObject(task) ? (task.want ?? null) : task))
    .filter((name) => member(olds.tasks, name) === undefined)
    .map(
      (name) =>
        `task ${name}: from ${wantOf(member(there.tasks, name))} to ${wantOf(member(news.tasks, name))}`,
    );
}

function wantOf(task: Value | undefined): string {
  return JSON.stringify(isObject(task) && typeof task.want === "string" ? task.want : "-");
}

function staying({ olds, news }: EntryPlan): string[] {
  const kinds = LASTING.flatMap(([map, noun]) => missing(map, news, olds).map((key) => `${noun} ${key}`));
  const images = newImages(news, olds).map((image) => `image ${image}`);
  const done = missing("tasks", news, olds).map((name) => `what task ${name} made`);
  const groups = entries(olds.users).flatMap(([name, user]) => {
    const wanted = member(news.users, name);
    if (!isObject(user) || !isObject(wanted)) return [];
    const left = list(user.groups).filter((group) => !list(wanted.groups).includes(group));
    return left.map((group) => `user ${name} in group ${group}`);
  });
  return [...kinds, ...images, ...groups, ...done];
}

function list(value: Value | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** `makes secret /a, link /b`; no line for nothing. */
export function line(what: string, items: string[]): string[] {
  const more = items.length > LISTED ? ` and ${items.length - LISTED} more` : "";
  return items.length > 0 ? [`${what} ${items.slice(0, LISTED).join(", ")}${more}`] : [];
}
