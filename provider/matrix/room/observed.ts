import type { PowerLevels } from "../../contract/matrix";
import { type Properties, toProperties } from "../../protocol/values";
import type { Present } from "./host";
import type { Kept } from "./inputs";

/** The inputs that would describe the room as it is now. What the stack says nothing about is not looked at. */
export function observedInputs(desired: Kept, seen: Present): Properties {
  const { topic, alias, avatar, roomVersion } = desired;
  return toProperties({
    name: seen.name ?? "",
    ...(topic === undefined ? {} : { topic: seen.topic ?? "" }),
    joinRule: joinRuleOf(desired, seen),
    historyVisibility: seen.historyVisibility,
    ...(seen.space ? {} : { encrypted: seen.encrypted }),
    powerLevels: { ...seen.powerLevels, users: usersOf(desired.powerLevels, seen.powerLevels) },
    members: desired.members.filter((user) => !isUnasked(seen, user)),
    ...(alias === undefined ? {} : { alias: hasAlias(seen) ? alias : localpartOf(seen.canonicalAlias) }),
    ...(avatar === undefined ? {} : { avatar: { ...avatar, digest: seen.avatarDigest ?? "" } }),
    parent: parentOf(desired, seen),
    ...(roomVersion === undefined ? {} : { roomVersion: seen.roomVersion }),
    federate: seen.federate,
  });
}

/** What was changed by hand since the last `up`, in words. */
export function driftOf(desired: Kept, seen: Present): string[] {
  const drift: string[] = [];
  const note = (differs: boolean, what: string) => {
    if (differs) drift.push(what);
  };
  const quoted = (value: string | null) => JSON.stringify(value ?? "");
  note(seen.name !== desired.name, `name changed by hand to ${quoted(seen.name)}`);
  const { topic, alias, avatar } = desired;
  note(topic !== undefined && seen.topic !== topic, `topic changed by hand to ${quoted(seen.topic)}`);
  note(
    !isSameRule(desired, seen),
    `join rule changed by hand to ${[seen.joinRule.rule, ...seen.joinRule.spaceIds].join(" ")}`,
  );
  note(
    seen.historyVisibility !== desired.historyVisibility,
    `history visibility changed by hand to ${seen.historyVisibility}`,
  );
  note(!seen.space && seen.encrypted && !desired.encrypted, "encryption switched on by hand");
  note(!seen.space && !seen.encrypted && desired.encrypted, "encryption is not on");
  drift.push(...levelDrift(desired.powerLevels, seen.powerLevels));
  note(
    alias !== undefined && !hasAlias(seen),
    seen.canonicalAlias === null || seen.canonicalAlias === seen.alias
      ? "alias removed by hand"
      : `alias changed by hand to ${seen.canonicalAlias}`,
  );
  note(avatar !== undefined && seen.avatarDigest !== avatar.digest, "picture changed by hand");
  drift.push(...parentDrift(desired, seen));
  for (const user of desired.members) note(isUnasked(seen, user), `${user} is neither in it nor invited`);
  return drift;
}

const LEVELS = ["usersDefault", "invite", "kick", "ban", "redact", "stateDefault", "eventsDefault"] as const;

function levelDrift(desired: PowerLevels, seen: PowerLevels): string[] {
  const levels = LEVELS.filter((level) => desired[level] !== seen[level]).map(
    (level) => `power level ${level} changed by hand to ${seen[level]}`,
  );
  const users = usersOf(desired, seen);
  const everybody = new Set([...Object.keys(desired.users), ...Object.keys(users)]);
  const changed = [...everybody].filter(
    (user) => levelIn(desired, user) !== (users[user] ?? seen.usersDefault),
  );
  return [
    ...levels,
    ...changed.map((user) => `power of ${user} changed by hand to ${users[user] ?? seen.usersDefault}`),
  ];
}

function levelIn({ users, usersDefault }: PowerLevels, user: string): number {
  return users[user] ?? usersDefault;
}

/** Levels as the stack would write them: who is listed with the default is as good as not listed. */
function usersOf(desired: PowerLevels, seen: PowerLevels): Record<string, number> {
  const listed = Object.entries(seen.users).filter(
    ([user, level]) => level !== seen.usersDefault || Object.hasOwn(desired.users, user),
  );
  const unlisted = Object.keys(desired.users)
    .filter((user) => !Object.hasOwn(seen.users, user))
    .map((user): [string, number] => [user, seen.usersDefault]);
  return Object.fromEntries([...listed, ...unlisted]);
}

function isSameRule(desired: Kept, seen: Present): boolean {
  const spaces = new Set(desired.joinRule.spaceIds);
  const found = seen.joinRule.spaceIds;
  return (
    seen.joinRule.rule === desired.joinRule.rule &&
    found.length === spaces.size &&
    found.every((space) => spaces.has(space))
  );
}

function joinRuleOf(desired: Kept, seen: Present) {
  return isSameRule(desired, seen) ? desired.joinRule : seen.joinRule;
}

function isUnasked(seen: Present, user: string): boolean {
  return seen.members[user] === "none";
}

/** Whether the alias leads to the room and the room announces it. */
function hasAlias(seen: Present): boolean {
  return seen.canonicalAlias === seen.alias && seen.aliasOwner === seen.roomId;
}

function localpartOf(alias: string | null): string {
  return /^#([^:]*)/.exec(alias ?? "")?.[1] ?? "";
}

/** Null: in no Space, or in one that does not list it. */
function parentOf(desired: Kept, seen: Present) {
  if (seen.parentId === null) return null;
  if (seen.parentId !== desired.parent?.roomId) return { roomId: seen.parentId, suggested: false };
  if (seen.childLink === null) return null;
  const { suggested, order } = seen.childLink;
  return { roomId: seen.parentId, suggested, ...(order === null ? {} : { order }) };
}

function parentDrift({ parent }: Kept, seen: Present): string[] {
  if (parent === undefined)
    return seen.parentId === null ? [] : [`put into the Space ${seen.parentId} by hand`];
  if (seen.parentId !== parent.roomId) {
    return [
      seen.parentId === null
        ? "taken out of its Space by hand"
        : `moved to the Space ${seen.parentId} by hand`,
    ];
  }
  if (seen.childLink === null) return ["its Space no longer lists it"];
  const { suggested, order } = seen.childLink;
  return suggested === parent.suggested && (order ?? undefined) === parent.order
    ? []
    : ["its place in the Space changed by hand"];
}
