import type { AccountInputs } from "../../contract/matrix";
import { ProviderError } from "../../protocol/errors";
import { hostSession } from "../../transport/session";
import { askPython } from "../python";

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
}

/** Nothing is known about the accounts: the homeserver or python3 is not there, or Hearth's account is not. */
export interface Unknown {
  unknown: string;
}

type Answer<T> = { status: "ok"; accounts: T[] } | { status: string; message: string };

/** Looks from one host that come within so many milliseconds are one question. */
const GATHER_MS = 15;
const OBSERVE_TIMEOUT = 60;
const APPLY_TIMEOUT = 120;

type Waiting = {
  localpart: string;
  settle: (seen: Observed | Unknown) => void;
  reject: (error: unknown) => void;
};
const gathering = new Map<string, Waiting[]>();

/** What the homeserver says about one account. Rejects only when the host itself cannot be reached. */
export function observe(inputs: AccountInputs, signal: AbortSignal): Promise<Observed | Unknown> {
  const key = JSON.stringify([inputs.connection, inputs.homeserverUrl, inputs.serverName]);
  return new Promise((settle, reject) => {
    const waiting = { localpart: inputs.localpart, settle, reject };
    const others = gathering.get(key);
    if (others !== undefined) {
      others.push(waiting);
      return;
    }
    const all = [waiting];
    gathering.set(key, all);
    setTimeout(() => {
      gathering.delete(key);
      void observeAll(inputs, all, signal);
    }, GATHER_MS);
  });
}

async function observeAll(inputs: AccountInputs, all: Waiting[], signal: AbortSignal): Promise<void> {
  const accounts = all.map(({ localpart }) => ({ localpart }));
  try {
    const limits = { signal, timeoutSeconds: OBSERVE_TIMEOUT };
    const request = { ...common(inputs), action: "observe", accounts };
    const answer = await askPython<Answer<Observed>>(inputs.connection, "account.py", request, limits);
    for (const { localpart, settle } of all) {
      const seen =
        "accounts" in answer ? answer.accounts.find((one) => one.localpart === localpart) : undefined;
      settle(seen ?? { unknown: "message" in answer ? answer.message : `no answer about ${localpart}` });
    }
  } catch (error) {
    for (const { settle, reject } of all) {
      if (isMissingPython(error)) settle({ unknown: firstLine(error) });
      else reject(error);
    }
  }
}

/** How the password is to be treated: `change` says that the operator gave another one than before. */
export type PasswordRequest = { kind: "generated" } | { kind: "given"; value: string; change: boolean };

/** Makes one account as desired. Throws one clear message when it cannot. */
export async function apply(
  inputs: AccountInputs,
  password: PasswordRequest,
  signal: AbortSignal,
): Promise<Applied> {
  const { connection, localpart, admin, displayName = null, deactivated } = inputs;
  const account = { localpart, admin, displayName, deactivated, password };
  const request = { ...common(inputs), action: "apply", accounts: [account] };
  // A change that has begun is finished: it takes a second, and half an account is worse.
  const limits = { signal: new AbortController().signal, timeoutSeconds: APPLY_TIMEOUT };
  if (signal.aborted) {
    throw new ProviderError(
      "ABORTED",
      `cancelled before account @${localpart}:${inputs.serverName} was changed`,
    );
  }
  const answer = await hostSession(connection).exclusive(() =>
    askPython<Answer<Applied>>(connection, "account.py", request, limits),
  );
  const applied = "accounts" in answer ? answer.accounts[0] : undefined;
  if (applied !== undefined) return applied;
  const message = "message" in answer ? answer.message : "the answer names no account";
  throw new ProviderError(
    "FAILED_PRECONDITION",
    `account @${localpart}:${inputs.serverName} on ${connection.name} is as it was: ${message}
  do: see that the homeserver runs (systemctl status matrix-synapse, its log), then run pulumi up again`,
  );
}

function common({ homeserverUrl, serverName, registrationSecretPath }: AccountInputs) {
  return { homeserverUrl, serverName, registrationSecretPath };
}

/** The bootstrap's own refusal of a host without an interpreter; everything else is about reaching the host at all. */
function isMissingPython(error: unknown): error is ProviderError {
  return (
    error instanceof ProviderError && error.code === "FAILED_PRECONDITION" && /python3/.test(error.message)
  );
}

function firstLine(error: Error): string {
  return error.message.split("\n")[0] ?? "";
}
