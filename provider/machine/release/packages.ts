import { isObject, type Properties } from "../../protocol/values";
import type { Observation } from "./answer";

/** Packages named in one line; the rest is counted. */
const LISTED = 12;

/** Host and package to the resource that this process announced it for. */
const announced = new Map<string, string>();

/**
 * The names among `names` that another release of the same run has announced for this host. apt installs a package once,
 * however many releases name it, so it is announced once.
 */
export function announcedElsewhere(host: string, urn: string, names: readonly string[]): ReadonlySet<string> {
  const elsewhere = names.filter((name) => {
    const key = `${host}\n${name}`;
    const first = announced.get(key) ?? urn;
    announced.set(key, first);
    return first !== urn;
  });
  return new Set(elsewhere);
}

/** The inputs without packages that are announced elsewhere. */
export function withoutPackages(inputs: Properties, names: ReadonlySet<string>): Properties {
  if (names.size === 0 || !isObject(inputs.packages)) return inputs;
  const kept = Object.entries(inputs.packages).filter(([name]) => !names.has(name));
  return { ...inputs, packages: Object.fromEntries(kept) };
}

/** What apt does along with the wanted packages, as lines of a plan. */
export function broughtLines(
  { brings }: Pick<Observation, "brings">,
  elsewhere: ReadonlySet<string>,
): string[] {
  if (brings === "unknown") {
    return [
      "apt cannot tell yet which packages come along: its lists are not there, or a repository is added first",
    ];
  }
  const ours = brings.filter(({ name }) => !elsewhere.has(name));
  const added = ours.filter(({ from }) => from === undefined).map(({ name }) => name);
  const removed = ours.filter(({ to }) => to === undefined).map(({ name, from }) => `${name} ${from}`);
  const changed = ours.flatMap(({ name, from, to }) =>
    from !== undefined && to !== undefined ? [`${name} from ${from} to ${to}`] : [],
  );
  return [
    ...line(`apt installs ${added.length} more, with the users and groups that they bring`, added),
    ...line("apt changes what is installed", changed),
    ...line("apt REMOVES", removed),
  ];
}

function line(what: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const more = items.length > LISTED ? ` and ${items.length - LISTED} more` : "";
  return [`${what}: ${items.slice(0, LISTED).join(", ")}${more}`];
}
