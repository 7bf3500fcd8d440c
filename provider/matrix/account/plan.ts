import type { AccountInputs } from "../../contract/matrix";
import { visible } from "../../text";
import { accessText, recordsOf } from "../access";
import type { Unknown } from "../homeserver";
import type { Looked, Step } from "./host";

/** What the state says of an account. */
export interface Known {
  /** It was made or taken over once. */
  inState: boolean;
  /** What leaves the stack file and remains as it is. */
  stays: string[];
}

/** What `pulumi up` will do with one account, as the host's own program says: `@bob:example.org on vps: will be deactivated`. */
export function planText(account: AccountInputs, seen: Looked | Unknown, known: Known): string {
  const first = `${title(account)}: ${sentence(account, seen, known.inState)}`;
  return [first, ...known.stays.map((what) => `  ${what} stays as it is`)].join("\n");
}

/** `@bob:example.org on vps`. */
export function title({ localpart, serverName, connection }: AccountInputs): string {
  return `@${localpart}:${serverName} on ${connection.name}`;
}

function sentence(account: AccountInputs, seen: Looked | Unknown, inState: boolean): string {
  if ("unknown" in seen) return unseen(account, seen, inState);
  const deeds = seen.would.map((step) => words(step, account, seen));
  if (!seen.exists) return `will be made${list(deeds)}`;
  const own = account.password.kind === "generated" && account.password.reclaim === true;
  const taken = own ? "exists already and is Hearth's; " : "exists already and is taken over; ";
  const whose = inState ? "" : taken;
  if (deeds.length > 0) return `${whose}will be ${deeds.join(", ")}`;
  return inState ? "nothing about it changes" : `${whose}nothing about it changes, its password stays`;
}

function list(deeds: string[]): string {
  return deeds.length > 0 ? `: ${deeds.join(", then ")}` : "";
}

/** The account cannot be looked at: what holds in any case. */
function unseen(account: AccountInputs, { unknown, lockedOut }: Unknown, inState: boolean): string {
  const { password, localpart, scope, deactivated } = account;
  const why = lockedOut ? accessText(account) : `not looked at: ${visible(unknown)}`;
  if (inState) return `will be made as the stack says; ${why}`;
  const path = `${recordsOf(scope)}/accounts/${localpart}.password`;
  const kept =
    password.kind === "generated"
      ? `its password is made on the host and kept in ${path}`
      : "with the given password";
  const shut = deactivated ? ", then deactivated" : "";
  return `will be made (${kept})${shut}; one that exists is taken over and its password stays; ${why}`;
}

function words([action, settings]: Step, account: AccountInputs, seen: Looked): string {
  const generated = seen.passwordFile === null ? "a new password" : "the password";
  const password =
    account.password.kind === "given" ? "the given password" : `${generated} kept in ${seen.passwordPath}`;
  switch (action) {
    case "create":
      return `${settings.admin ? "as an admin, " : ""}${named(settings.displayName)}with ${password}`;
    case "deactivate":
      return "deactivated (nothing else about it changes)";
    case "reactivate":
      return `activated again, with ${password}`;
    case "reclaim":
      return `taken back: a new password kept in ${seen.passwordPath}, all its sessions and other ways to log in ended`;
    case "set password":
      return "given the new password, its sessions ended";
    case "compare password":
      return "given the stack's password, if another one was last set from this host";
    case "set admin":
      return settings.admin ? "made an admin" : "no admin any more";
    case "set display name":
      return `called ${JSON.stringify(settings.displayName ?? "")}`;
  }
}

function named(name: string | null | undefined): string {
  return name === null || name === undefined ? "" : `called ${JSON.stringify(name)}, `;
}
