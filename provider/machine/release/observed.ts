import { isUtf8 } from "node:buffer";
import type {
  ContainerSecret,
  HostFile,
  HostSecret,
  HostUnit,
  ReleaseInputs,
  SecretSource,
} from "../../contract/release";
import type { Observation } from "./answer";
import { withHeader, withoutHeader } from "./header";
import { sha256 } from "./request";

/**
 * The inputs as the host has them now: what differs from `inputs` differs on the host. What is gone on the host is missing.
 * Settings that are not on the host (validators, probes, triggers, the connection) are taken over.
 */
export function observedInputs(inputs: ReleaseInputs, seen: Observation): ReleaseInputs {
  return {
    ...inputs,
    identity: pick(inputs.identity, (key, value) => seen.identity.get(key) ?? value),
    packages: pick(inputs.packages, (name, wanted) => {
      const version = seen.packages.get(name);
      return version !== undefined && wanted === "any" ? wanted : version;
    }),
    repositories: pick(inputs.repositories, (name, item) =>
      seen.repositories.get(name) === "ready" ? item : undefined,
    ),
    users: pick(inputs.users, (name, user) => {
      const found = seen.users.get(name);
      // Further groups of the user are not ours.
      return (
        found && { home: found.home, groups: user.groups.filter((group) => found.groups.includes(group)) }
      );
    }),
    directories: pick(inputs.directories, (path) => seen.directories.get(path)),
    files: pick(inputs.files, (path, file) => observedFile(path, file, seen)),
    links: pick(inputs.links, (path) => seen.links.get(path)),
    secrets: pick(inputs.secrets, (path, item) => observedSecret(path, item, seen)),
    images: inputs.images.filter((image) => seen.images.has(image)),
    containerSecrets: pick(inputs.containerSecrets, (name, item) =>
      observedContainerSecret(item, seen.containerSecrets.get(name)),
    ),
    environments: pick(inputs.environments, (path, item) =>
      seen.environments.get(path) === "ready" ? item : undefined,
    ),
    tasks: pick(inputs.tasks, (name, task) => ({ ...task, want: seen.tasks.get(name) ?? "-" })),
    units: pick(inputs.units, (name, unit) => observedUnit(name, unit, seen, inputs)),
    revisions: pick(inputs.revisions, (name) => seen.revisions.get(name)),
  };
}

/** A map with the same keys, without those whose new value is undefined. */
function pick<T>(map: Record<string, T>, change: (key: string, item: T) => T | undefined): Record<string, T> {
  const result: Record<string, T> = {};
  for (const [key, item] of Object.entries(map)) {
    const changed = change(key, item);
    if (changed !== undefined) result[key] = changed;
  }
  return result;
}

function observedFile(path: string, file: HostFile, seen: Observation): HostFile | undefined {
  const found = seen.files.get(path);
  if (!found) return undefined;
  const { mode, owner, group } = found;
  if (found.sha256 === sha256(withoutHeader(path, file.content)))
    return { mode, owner, group, content: file.content };
  return { mode, owner, group, content: withHeader(path, foreignContent(found.sha256, found.content)) };
}

/** What lies there instead of our content, as text that a diff can show. */
function foreignContent(digest: string, content: Buffer | undefined): string {
  if (content === undefined) return `(something too large to show, SHA-256 ${digest})\n`;
  if (!isUtf8(content) || content.includes(0)) return `(something that is not text, SHA-256 ${digest})\n`;
  return content.toString("utf8");
}

function observedSecret(path: string, item: HostSecret, seen: Observation): HostSecret | undefined {
  const found = seen.secrets.get(path);
  if (!found) return undefined;
  const { mode, owner, group, fingerprint } = found;
  return { mode, owner, group, source: observedSource(item.source, fingerprint) };
}

function observedContainerSecret(
  item: ContainerSecret,
  fingerprint: string | undefined,
): ContainerSecret | undefined {
  return fingerprint === undefined ? undefined : { source: observedSource(item.source, fingerprint) };
}

/** A secret made on the host has no wanted value: whatever is there is the truth, outputs hold its fingerprint. */
function observedSource(source: SecretSource, fingerprint: string): SecretSource {
  return source.kind === "given" ? { ...source, value: fingerprint } : source;
}

const ENABLED = ["enabled", "enabled-runtime", "alias", "linked"];
/** Units that cannot be enabled or disabled by themselves: nothing to be wrong about. */
const NEITHER = ["static", "indirect", "generated", "transient"];

function observedUnit(name: string, unit: HostUnit, seen: Observation, inputs: ReleaseInputs): HostUnit {
  const found = seen.units.get(name) ?? { enabled: "-", active: "-", sub: "-" };
  const enabled = enablesItself(name, found.enabled, inputs) ? unit.enabled : ENABLED.includes(found.enabled);
  if (unit.state === "ignored") return { ...unit, enabled };
  return { ...unit, enabled, state: isRunning(found, unit) ? "running" : "stopped" };
}

/** Nothing of ours is to be done: it cannot be enabled, or it comes with a package, which does that (or a generator) itself. */
function enablesItself(name: string, enabled: string, { files }: ReleaseInputs): boolean {
  if (enabled !== "-") return NEITHER.includes(enabled);
  const own = [name, name.replace(/@.*\./, "@.")];
  return !Object.keys(files).some((path) => own.includes(path.slice(path.lastIndexOf("/") + 1)));
}

function isRunning({ active, sub }: { active: string; sub: string }, unit: HostUnit): boolean {
  // Between two crashes systemd calls a service activating.
  if (active === "activating") return sub !== "auto-restart" && unit.state === "running";
  return active === "active" || active === "reloading";
}
