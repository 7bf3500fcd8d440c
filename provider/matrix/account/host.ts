import type { AccountInputs } from "../../contract/matrix";
import { Keeper } from "../homeserver";

/** One account as the homeserver has it. */
export interface Observed {
  localpart: string;
  exists: boolean;
  admin: boolean;
  displayName: string | null;
  deactivated: boolean;
  /** Where the password made on the host is kept; null: it is not one that was made there, or it is gone. */
  passwordFile: string | null;
}

/** What provider/matrix/programs/account.py would do, and with which settings. */
export type Step = [
  action:
    | "create"
    | "deactivate"
    | "reactivate"
    | "reclaim"
    | "set password"
    | "compare password"
    | "set admin"
    | "set display name",
  settings: { admin?: boolean; displayName?: string | null },
];

/** One account looked at, with what a change would do. */
export interface Looked extends Observed {
  would: Step[];
  /** Where a password made on the host would be kept. */
  passwordPath: string;
}

/** One account after a change: what it was, what was done, what the operator should know. */
export interface Applied extends Observed {
  existed: boolean;
  did: string[];
  notes: string[];
}

/** How the password is to be treated: `change` says that the operator gave another one than before. */
export type PasswordRequest =
  | { kind: "generated"; reclaim: boolean }
  | { kind: "given"; value: string; change: boolean };

export const accounts = new Keeper<AccountInputs, Looked, Applied>({
  program: "account.py",
  list: "accounts",
  identity: "localpart",
  request: ({ localpart, admin, displayName = null, deactivated }) => ({
    ...{ localpart, admin, displayName, deactivated },
  }),
  title: ({ localpart, serverName }) => `account @${localpart}:${serverName}`,
  timeoutSeconds: 120,
});
