import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "../checkout";
import { isAtLeast } from "../language/common";

/** The output of `npm run lock -- VERSION`: for each Python and architecture the wheels of one release, with their hashes. */
const FOLDER = join(CHECKOUT, "components/homeserver/locks");
const LOCK = /^(.+)-python[0-9.]+-[a-z0-9]+\.txt$/;

/** The releases of Synapse that have a lock, newest first. */
export function lockedVersions(): string[] {
  const versions = readdirSync(FOLDER).flatMap((file) => LOCK.exec(file)?.[1] ?? []);
  return [...new Set(versions)].sort((one, other) => (isAtLeast(one, other) ? -1 : 1));
}

/** The command that creates a lock for a release. */
export function makeLock(version: string): string {
  return `npm run lock -- ${version}`;
}

/**
 * Every wheel of a release of Synapse, as a requirement with its hash.
 * @param python `3.13`
 * @param architecture Debian's name: `amd64`
 * @returns undefined when there is no such lock
 */
export function lockedRequirements(
  version: string,
  python: string,
  architecture: string,
): string[] | undefined {
  const file = join(FOLDER, `${version}-python${python}-${architecture}.txt`);
  return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : undefined;
}
