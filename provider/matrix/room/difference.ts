import { compare } from "../../protocol/diff";
import type { Difference } from "../../protocol/resource";
import { isObject, type Properties, type Value } from "../../protocol/values";
import { comparable, shown } from "../access";

/** What the stack may stop naming: it stays in the room as it is. */
const LEFT_ALONE = ["topic", "alias", "avatar", "roomVersion"];

/** The difference as the operator sees it: what changes in the room, not what leaves the stack file and stays. */
export function roomDifference(olds: Properties, news: Properties, identity: string[]): Difference {
  const details = compare(prepared(olds), prepared(news), identity);
  const { length } = userList(olds.members);
  const difference = shown(
    details,
    (path, { kind }) => path.startsWith("members") || (kind === "delete" && LEFT_ALONE.includes(path)),
  );
  // Nobody is removed for not being listed; who is new in the list comes in, wherever in it they stand.
  const had = userList(olds.members);
  for (const [index, user] of userList(news.members).entries()) {
    const kind = index < length ? "update" : "add";
    if (!had.includes(user)) difference.details.set(`members[${index}]`, { kind, replace: false });
  }
  return difference;
}

/** What was in the stack file and stays in the room. */
export function stayingIn(olds: Properties, news: Properties): string[] {
  const settings = LEFT_ALONE.slice(0, 3).filter((name) => isSet(olds[name]) && !isSet(news[name]));
  const wanted = userList(news.members);
  const members = userList(olds.members).filter((user) => !wanted.includes(user));
  return [...settings.map((name) => `its ${name}`), ...members];
}

function isSet(value: Value | undefined): boolean {
  return value !== undefined && value !== null;
}

function userList(members: Value | undefined): string[] {
  return Array.isArray(members) ? members.filter((user) => typeof user === "string") : [];
}

function prepared(properties: Properties): Properties {
  return withoutFile(comparable(properties));
}

/** Where the picture lies on the operator's machine is no difference; what it shows is. */
function withoutFile({ avatar, ...rest }: Properties): Properties {
  if (!isObject(avatar)) return { ...rest, ...(avatar === undefined ? {} : { avatar }) };
  const { file: _file, ...picture } = avatar;
  return { ...rest, avatar: picture };
}
