import { type Properties, toProperties } from "../../protocol/values";
import { visible } from "../../text";
import { accessText, recordsOf } from "../access";
import type { Unknown } from "../homeserver";
import { stayingIn } from "./difference";
import type { Observed } from "./host";
import type { Kept } from "./inputs";

/** What `pulumi up` will do with one room, as the host's own program says. `olds`: the inputs in the state, absent on create. */
export function planText(room: Kept, seen: Observed | Unknown, olds: Properties | undefined): string {
  const stays = olds === undefined ? [] : stayingIn(olds, toProperties(room));
  const first = `${title(room)} on ${room.connection.name}: ${sentence(room, seen, olds !== undefined)}`;
  return [first, ...stays.map((what) => `  ${visible(what)} stays in it`)].join("\n");
}

/** `main of example.org`. */
export function title({ key, serverName }: Pick<Kept, "key" | "serverName">): string {
  return `${key} of ${serverName}`;
}

function sentence(room: Kept, seen: Observed | Unknown, inState: boolean): string {
  if ("unknown" in seen) return unseen(room, seen, inState);
  if (!seen.exists) return `will be made; its ID is kept in ${seen.record}`;
  const back = seen.lost === null ? [] : [`Hearth's account comes back (${visible(seen.lost)})`];
  const deeds = [...back, ...seen.would.map(visible)];
  const taken = inState ? "" : `exists already (${seen.roomId}) and is taken over; `;
  return deeds.length > 0 ? `${taken}will change: ${deeds.join(", ")}` : `${taken}nothing about it changes`;
}

/** The room cannot be looked at: what holds in any case. */
function unseen(room: Kept, { unknown, lockedOut }: Unknown, inState: boolean): string {
  const why = lockedOut ? accessText(room) : `not looked at: ${visible(unknown)}`;
  if (inState) return `will be made as the stack says; ${why}`;
  return `will be made, or taken over if it exists; its ID is kept in ${recordsOf(room.scope)}/rooms/${room.key}.json; ${why}`;
}
