import { isObject, type Properties, type Value } from "../../protocol/values";
import { changedKeys, entries, member, same } from "./maps";
import { NOUNS } from "./nouns";
import { newImages } from "./nouns/images";

/** What else decides about the units. */
export interface Circumstances {
  /** What they were not started with yet, as the host says (`lib/units.sh` unstarted). */
  pending?: readonly string[];
  /** All that run restart: a probe fails, or an interrupted change is cleared up first. */
  repair?: boolean;
}

/**
 * What an update will do apart from writing files, in one line: `will install curl; restart example.service`. `olds` are
 * the inputs as the host has them (empty maps: nothing there). Mirrors what the host decides in `lib/units.sh`.
 */
export function planLine(olds: Properties, news: Properties, circumstances: Circumstances = {}): string {
  const actions = [
    ...packageActions(olds, news),
    ...imageActions(olds, news),
    ...environmentActions(olds, news),
    ...unitActions(olds, news, circumstances),
  ];
  const order = [
    "install",
    "change",
    "pull",
    "build",
    "stop",
    "disable",
    "enable",
    "start",
    "restart",
    "reload",
  ];
  const parts = order.flatMap((verb) => {
    const subjects = actions.filter((action) => action.verb === verb).map((action) => action.subject);
    return subjects.length > 0 ? [`${verb} ${subjects.sort().join(", ")}`] : [];
  });
  return parts.length > 0 ? `will ${parts.join("; ")}` : "will restart nothing";
}

interface Action {
  verb: string;
  subject: string;
}

function packageActions(olds: Properties, news: Properties): Action[] {
  return entries(news.packages).flatMap(([name, wanted]) => {
    const version = member(olds.packages, name);
    if (version === undefined)
      return [{ verb: "install", subject: wanted === "any" ? name : `${name} ${wanted}` }];
    return same(version, wanted) || wanted === "any"
      ? []
      : [{ verb: "change", subject: `${name} from ${version} to ${wanted}` }];
  });
}

function imageActions(olds: Properties, news: Properties): Action[] {
  return newImages(olds, news).map((image) => ({ verb: "pull", subject: image }));
}

function environmentActions(olds: Properties, news: Properties): Action[] {
  return changedKeys(olds, news, "environments").map((path) => ({ verb: "build", subject: path }));
}

function unitActions(olds: Properties, news: Properties, circumstances: Circumstances): Action[] {
  const { pending = [], repair = false } = circumstances;
  const changed = new Set([...changedSubjects(olds, news), ...pending]);
  const dropped = entries(olds.units).flatMap(([name, unit]) => {
    if (member(news.units, name) !== undefined || !isObject(unit)) return [];
    const stop = unit.state === "running" || unit.enabled === true ? ["stop"] : [];
    const verbs = unit.enabled === true ? [...stop, "disable"] : stop;
    return verbs.map((verb) => ({ verb, subject: name }));
  });
  const kept = entries(news.units).flatMap(([name, unit]) => {
    if (!isObject(unit)) return [];
    const old = member(olds.units, name);
    const before = isObject(old) ? old : { enabled: false, state: "stopped" };
    const triggered = repair && unit.state === "running" ? "restart" : triggerOf(name, unit, changed);
    const verbs = [enabling(before, unit), running(before, unit, triggered)];
    const actions = verbs.filter((verb) => verb !== undefined).map((verb) => ({ verb, subject: name }));
    // What does not run is left alone; the host knows.
    const along = verbs.includes("restart") && Array.isArray(unit.along) ? unit.along : [];
    return [...actions, ...along.map((other) => ({ verb: "restart", subject: String(other) }))];
  });
  return [...dropped, ...kept];
}

function enabling(before: Properties, unit: Properties): string | undefined {
  if (before.enabled === unit.enabled) return undefined;
  return unit.enabled === true ? "enable" : "disable";
}

function running(before: Properties, unit: Properties, triggered: string | undefined): string | undefined {
  if (unit.state === "stopped") return before.state === "running" ? "stop" : undefined;
  if (unit.state === "running" && before.state !== "running") return "start";
  return triggered;
}

/**
 * What changes mean for a unit that runs. The host decides by `trigger_of` in `lib/units.sh`; both are tested with the cases of
 * `tests/provider/machine/release/triggers.ts`.
 * @param changed subjects in the spelling of `restartOn`; a package that came or changed is `package:NAME`
 */
export function triggerOf(
  name: string,
  unit: Properties,
  changed: ReadonlySet<string>,
): "restart" | "reload" | undefined {
  const hit = (list: Value | undefined) =>
    Array.isArray(list) && list.some((subject) => typeof subject === "string" && changed.has(subject));
  const always = (subject: string) => subject.startsWith("package:") || definesUnit(subject, name);
  if (hit(unit.restartOn) || [...changed].some(always)) return "restart";
  return hit(unit.reloadOn) ? "reload" : undefined;
}

/** Whether a path is the unit's own file, its template, a drop-in or its Quadlet file: systemd reads them only at a restart. */
function definesUnit(path: string, name: string): boolean {
  const [folder = "", file = ""] = path.split("/").slice(-2);
  if (path.includes("/containers/systemd/")) return generatedUnit(file) === name;
  if (!/\/systemd\/(system|user)\//.test(path)) return false;
  const template = name.replace(/@.*\./, "@.");
  return [name, template].some((unit) => file === unit || folder === `${unit}.d`);
}

/** The unit that Podman makes of a Quadlet file. */
function generatedUnit(file: string): string {
  return `${file.replace(/\.container$/, "").replace(/\.(?=(volume|network)$)/, "-")}.service`;
}

/** Everything that units may depend on and that will be different, in the spelling of their lists. */
function changedSubjects(olds: Properties, news: Properties): Set<string> {
  const subjects = NOUNS.flatMap(({ name, subject, part, changed }) => {
    if (subject === undefined) return [];
    const keys = changed?.(olds, news) ?? changedKeys(olds, news, name, part);
    return keys.map((key) => subject + key);
  });
  return new Set(subjects);
}
