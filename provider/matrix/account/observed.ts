import type { AccountInputs } from "../../contract/matrix";
import { type Properties, toProperties } from "../../protocol/values";
import type { Observed } from "./host";

/** What of an account is compared: a deactivated one has nothing else worth keeping in step. */
type Visible = Pick<AccountInputs, "admin" | "deactivated" | "displayName">;

/** The inputs that would describe the account as it is now; a display name that the stack does not set is not looked at. */
export function observedInputs(desired: AccountInputs, seen: Observed): Properties {
  const visible: Visible = { deactivated: seen.deactivated, admin: desired.admin };
  if (!seen.deactivated) visible.admin = seen.admin;
  if (desired.displayName !== undefined) {
    visible.displayName = seen.deactivated ? desired.displayName : (seen.displayName ?? "");
  }
  return toProperties(visible);
}

/** What was changed by hand since the last `up`, in words. */
export function driftOf(desired: AccountInputs, seen: Observed): string[] {
  const drift: string[] = [];
  if (seen.deactivated !== desired.deactivated) {
    drift.push(seen.deactivated ? "deactivated by hand" : "activated by hand");
  }
  if (seen.deactivated) return drift;
  if (seen.admin !== desired.admin)
    drift.push(seen.admin ? "made admin by hand" : "admin right taken by hand");
  if (desired.displayName !== undefined && seen.displayName !== desired.displayName) {
    drift.push(`display name changed by hand to ${JSON.stringify(seen.displayName ?? "")}`);
  }
  return drift;
}
