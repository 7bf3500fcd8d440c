import type { AccountInputs } from "../../contract/matrix";
import { Keeper } from "../homeserver";

/** One account as the homeserver has it. */
export interface Observed {
  localpart: string;
  exists: boolean;
  admin: boolean;
  displayName: string | null;
  deactivated: boolean;
}

/** One account after a change: what it was, what was done, what the operator should know. */
export interface Applied extends Observed {
  existed: boolean;
  did: string[];
  notes: string[];
  /** Where the password is kept on the host; null: it is not one that was made there. */
  passwordFile: string | null;
}

/** How the password is to be treated: `change` says that the operator gave another one than before. */
export type PasswordRequest =
  | { kind: "generated"; reclaim: boolean }
  | { kind: "given"; value: string; change: boolean };

export const accounts = new Keeper<AccountInputs, Observed, Applied>({
  program: "account.py",
  list: "accounts",
  identity: "localpart",
  request: ({ localpart, admin, displayName = null, deactivated }) => ({
    ...{ localpart, admin, displayName, deactivated },
  }),
  title: ({ localpart, serverName }) => `account @${localpart}:${serverName}`,
  timeoutSeconds: 120,
});
