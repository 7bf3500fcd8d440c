import { quote } from "../../protocol/shape";
import { hasUnknown, isObject, join, type Properties, UNKNOWN, type Value } from "../../protocol/values";
import { entries, keysOf } from "./maps";
import { NOUNS, PATH_NOUNS } from "./nouns";

/** What no single property can say: things that contradict each other, triggers that name nothing. */
export function crossFaults(inputs: Properties): string[] {
  return [
    ...pathFaults(inputs),
    ...ownerFaults(inputs),
    ...triggerFaults(inputs),
    ...preflightFaults(inputs),
    ...scopeFaults(inputs),
    ...environmentFaults(inputs),
    ...fillFaults(inputs),
  ];
}

/** Maps whose keys are paths that only one of them can own. */
const OWNERS = PATH_NOUNS.map(({ name }) => name);

function pathFaults(inputs: Properties): string[] {
  const faults: string[] = [];
  const owner = new Map<string, string>();
  for (const map of OWNERS) {
    for (const path of keysOf(inputs[map])) {
      const first = owner.get(path);
      if (first) faults.push(`${join(map, path)}: is in ${first} too; keep one`);
      else owner.set(path, map);
    }
  }
  for (const [path, map] of owner) {
    const above = parents(path).find((parent) => owner.has(parent) && owner.get(parent) !== "directories");
    if (above)
      faults.push(
        `${join(map, path)}: ${join(owner.get(above) ?? "", above)} is not a directory, nothing can be below it`,
      );
  }
  return faults;
}

/** Root follows nobody: what lies below a user's directory is that user's, for the user can put anything else there. */
function ownerFaults(inputs: Properties): string[] {
  if (inputs.scope !== "system") return [];
  const directories = new Map(entries(inputs.directories));
  const faults: string[] = [];
  for (const map of OWNERS) {
    for (const [path, item] of entries(inputs[map])) {
      const above = parents(path).find((parent) => accessOf(directories.get(parent)).shared !== undefined);
      if (above === undefined) continue;
      const { shared } = accessOf(directories.get(above));
      const owner = accessOf(item).owner;
      if (shared === "")
        faults.push(
          `${join(map, path)}: others can change ${above}, which is above it; take their right to write from its mode`,
        );
      else if (owner !== undefined && owner !== UNKNOWN && owner !== shared)
        faults.push(
          `${join(map, path)}.owner: is ${quote(owner)}, but ${shared} can replace whatever is below ${above}; write ${quote(shared)}, or put it into a directory of root's`,
        );
    }
  }
  for (const path of keysOf(inputs.environments)) {
    const above = parents(path).find((parent) => accessOf(directories.get(parent)).shared !== undefined);
    if (above !== undefined)
      faults.push(
        `${join("environments", path)}: root runs its programs, and others can change ${above}; put it into a directory of root's`,
      );
  }
  return faults;
}

/** Owner of an entry; of a directory also who else than root can change it (`""`: everybody, or a group). */
function accessOf(item: Value | undefined): { owner?: string; shared?: string } {
  if (!isObject(item) || typeof item.owner !== "string") return {};
  const { owner, group, mode } = item;
  if (owner === UNKNOWN) return { owner };
  const writes = (place: number) => typeof mode === "string" && "2367".includes(mode.charAt(place));
  if (writes(3) || (writes(2) && group !== "root" && group !== owner)) return { owner, shared: "" };
  return owner === "root" ? { owner } : { owner, shared: owner };
}

function preflightFaults(inputs: Properties): string[] {
  const { files, units } = inputs;
  const named = (map: Value | undefined, key: Value | undefined) =>
    map === UNKNOWN || key === UNKNOWN || (typeof key === "string" && keysOf(map).includes(key));
  return [
    ...entries(inputs.preflights)
      .filter(([, item]) => isObject(item) && !named(files, item.program))
      .map(([name]) => `${join("preflights", name)}.program: is none of files; the program is one of them`),
    ...entries(inputs.ports)
      .filter(([, unit]) => !named(units, unit))
      .map(([port]) => `${join("ports", port)}: is none of units; name the one that opens the port`),
  ];
}

function parents(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(2).map((_, index) => parts.slice(0, index + 2).join("/"));
}

function triggerFaults(inputs: Properties): string[] {
  const subjects = triggerSubjects(inputs);
  // A map that is not known yet could hold anything.
  if (subjects === undefined) return [];
  const faults: string[] = [];
  for (const [name, unit] of entries(inputs.units)) {
    if (!isObject(unit)) continue;
    for (const list of ["restartOn", "reloadOn"]) {
      const named = unit[list];
      if (!Array.isArray(named)) continue;
      named.forEach((subject, index) => {
        if (typeof subject !== "string" || subject === UNKNOWN || subjects.has(subject)) return;
        faults.push(
          `${join("units", name)}.${list}[${index}]: ${quote(subject)} names nothing in this release; write a path of files, secrets or directories, or revision:, task:, environment:, image: or container-secret: with a name from there`,
        );
      });
    }
  }
  return faults;
}

/** Everything a unit may depend on; undefined while part of it is not known. */
function triggerSubjects(inputs: Properties): Set<string> | undefined {
  const named = NOUNS.filter(({ subject }) => subject !== undefined);
  // One that is not known yet could be anything; of a list, one entry is enough.
  const unknown = named.some(({ name }) => inputs[name] === UNKNOWN || hasUnknownItem(inputs[name]));
  if (unknown) return undefined;
  return new Set(
    named.flatMap(({ name, subject = "" }) => items(inputs[name]).map((item) => subject + item)),
  );
}

function hasUnknownItem(list: Value | undefined): boolean {
  return Array.isArray(list) && hasUnknown(list);
}

/** Keys of a map, or the texts of a list. */
function items(value: Value | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : keysOf(value);
}

function scopeFaults(inputs: Properties): string[] {
  const elsewhere = NOUNS.filter(
    ({ name, scope }) => scope !== undefined && scope !== inputs.scope && items(inputs[name]).length > 0,
  ).map(({ name }) => name);
  if (inputs.scope === "system")
    return elsewhere.map((name) => `${name}: belong to a login user; use scope user`);
  if (inputs.scope !== "user") return [];
  return [
    ...elsewhere.map(
      (name) => `${name}: need root; use scope system, or a release of its own with scope system`,
    ),
    ...["tasks", "validators", "publishes"].flatMap((map) =>
      entries(inputs[map])
        .filter(([, item]) => isObject(item) && item.user !== undefined)
        .map(([name]) => `${join(map, name)}.user: only root can become another user; leave it out`),
    ),
  ];
}

/** systemd gets such a path in a list of paths; these letters mean nothing there. */
const ENVIRONMENT_PATH = /^[\w.+/-]+$/;

function environmentFaults(inputs: Properties): string[] {
  const owned = new Set(OWNERS.flatMap((map) => keysOf(inputs[map])));
  return entries(inputs.environments).flatMap(([path, item]) => {
    const here = join("environments", path);
    const requirements = isObject(item) && Array.isArray(item.requirements) ? item.requirements : [];
    return [
      ...(owned.has(path)
        ? [`${here}: is named elsewhere in this release too; an environment owns its directory`]
        : []),
      ...(ENVIRONMENT_PATH.test(path)
        ? []
        : [`${here}: may only have letters, digits, '.', '_', '+', '-' and '/'; choose another path`]),
      ...requirements.flatMap((line, index) =>
        typeof line !== "string" || !/^\w[^\s>]*==[^\s]+$/.test(line)
          ? []
          : [
              `${here}.requirements[${index}]: ${quote(line)} names no hash, and whatever the index sends would be installed; write ${line} --hash=sha256:…`,
            ],
      ),
    ];
  });
}

/** Files that the host fills with secrets: each placeholder is in the text, each secret is one of this release, and not everyone reads it. */
function fillFaults(inputs: Properties): string[] {
  const programs = neededEarly(inputs);
  return entries(inputs.files).flatMap(([path, item]) => {
    if (!isObject(item) || entries(item.fills).length === 0) return [];
    const here = join("files", path);
    const { content, mode, fills } = item;
    const readable = typeof mode === "string" && /[4-7]$/.test(mode);
    return [
      ...entries(fills).flatMap(([placeholder, secret]) => [
        ...(typeof content === "string" && content !== UNKNOWN && !content.includes(placeholder)
          ? [`${join(`${here}.fills`, placeholder)}: is not in the text; write it where the secret belongs`]
          : []),
        ...(inputs.secrets === UNKNOWN ||
        secret === UNKNOWN ||
        keysOf(inputs.secrets).includes(String(secret))
          ? []
          : [`${join(`${here}.fills`, placeholder)}: ${quote(secret)} is none of secrets; name one of them`]),
      ]),
      ...(readable ? [`${here}.mode: lets everyone read a file with secrets; write "0640" or less`] : []),
      ...(programs.has(path)
        ? [`${here}.fills: this file is needed before it is filled; let it read the secret's file instead`]
        : []),
    ];
  });
}

/** Files that are used as they were sent: preflights, and words of commands that create secrets. */
function neededEarly(inputs: Properties): Set<string> {
  const commands = [...entries(inputs.secrets), ...entries(inputs.containerSecrets)].flatMap(([, item]) => {
    const source = isObject(item) && isObject(item.source) ? item.source : {};
    return Array.isArray(source.argv) ? source.argv.map(String) : [];
  });
  const preflights = entries(inputs.preflights).map(([, item]) =>
    isObject(item) ? String(item.program) : "",
  );
  return new Set([...commands, ...preflights]);
}
