import type { HomeserverAccess } from "../contract/matrix";
import { ProviderError } from "../protocol/errors";
import { TimedOut } from "../transport/failures";
import { hostSession } from "../transport/session";
import { accessRequest } from "./access";
import { askPython } from "./python";

/** Nothing is known about it: the homeserver or python3 is not there, or Hearth's account is not. */
export interface Unknown {
  unknown: string;
  /** Hearth's own access to the homeserver is missing or does not work any more; a change renews it, a look does not. */
  lockedOut?: boolean;
}

/** One kind of thing behind the homeserver's API, and the program on the host that keeps it. */
export interface Kind<Inputs extends HomeserverAccess> {
  program: `${string}.py`;
  /** Where request and answer have their list of things. */
  list: string;
  /** What tells the things of one homeserver apart: a member of requests and answers. */
  identity: string;
  /** The thing as the program takes it, to look at. */
  request: (inputs: Inputs) => Record<string, unknown>;
  /** Names it in messages, e.g. `account @alice:example.org`. */
  title: (inputs: Inputs) => string;
  /** Seconds that one change may take. */
  timeoutSeconds: number;
}

type Answer<T> = { status: "ok"; [list: string]: T[] | string } | { status: string; message: string };

/** Looks from one host that come within so many milliseconds are one question. */
const GATHER_MS = 15;
/** The programs' own limits (LOOK_WAITS and LOOK_TAKES in homeserver_admin.py) come before it. */
const OBSERVE_TIMEOUT = 60;
/** The status of an answer of a program that may not make or renew Hearth's own access. */
const NO_CREDENTIAL = "no credential";

interface Waiting<Inputs, Seen> {
  inputs: Inputs;
  more: object;
  settle: (seen: Seen | Unknown) => void;
  reject: (error: unknown) => void;
}

/** Looks at and changes things of one kind, each `Seen` when looked at and `Applied` when changed. */
export class Keeper<Inputs extends HomeserverAccess, Seen extends object, Applied extends object> {
  private readonly gathering = new Map<string, Waiting<Inputs, Seen>[]>();

  constructor(private readonly kind: Kind<Inputs>) {}

  /**
   * What the homeserver says about one of them. Rejects only when the host itself cannot be reached.
   * @param more what the program needs besides to say what a change would do
   */
  observe(inputs: Inputs, signal: AbortSignal, more: object = {}): Promise<Seen | Unknown> {
    const key = JSON.stringify([inputs.connection, accessRequest(inputs)]);
    return new Promise((settle, reject) => {
      const waiting = { inputs, more, settle, reject };
      const others = this.gathering.get(key);
      if (others !== undefined) {
        others.push(waiting);
        return;
      }
      const all = [waiting];
      this.gathering.set(key, all);
      setTimeout(() => {
        this.gathering.delete(key);
        void this.observeAll(inputs, all, signal);
      }, GATHER_MS);
    });
  }

  private async observeAll(access: Inputs, all: Waiting<Inputs, Seen>[], signal: AbortSignal): Promise<void> {
    const { program, list, identity, request } = this.kind;
    const wanted = all.map(({ inputs, more }) => ({ ...request(inputs), ...more }));
    try {
      const limits = { signal, timeoutSeconds: OBSERVE_TIMEOUT };
      const question = { ...accessRequest(access), action: "observe", [list]: wanted };
      const answer = await askPython<Answer<Seen>>(access, program, question, limits);
      const found = listOf(answer, list);
      for (const [index, { settle }] of all.entries()) {
        const name = wanted[index]?.[identity];
        const seen = found.find((one) => Object.entries(one).some(([k, v]) => k === identity && v === name));
        const lockedOut = answer.status === NO_CREDENTIAL;
        settle(seen ?? { unknown: messageOf(answer) ?? `no answer about ${String(name)}`, lockedOut });
      }
    } catch (error) {
      for (const { settle, reject } of all) {
        if (isMissingPython(error) || error instanceof TimedOut) settle({ unknown: firstLine(error) });
        else reject(error);
      }
    }
  }

  /**
   * Makes one of them as desired. Throws one clear message when it cannot.
   * @param more what the program needs for a change only
   */
  async apply(inputs: Inputs, more: object, signal: AbortSignal): Promise<Applied> {
    const { program, list, request, title, timeoutSeconds } = this.kind;
    const { connection } = inputs;
    if (signal.aborted) throw new ProviderError("ABORTED", `cancelled before ${title(inputs)} was changed`);
    const order = { ...accessRequest(inputs), action: "apply", [list]: [{ ...request(inputs), ...more }] };
    // A change that has begun is finished: it takes a moment, and half of one is worse.
    const limits = { signal: new AbortController().signal, timeoutSeconds, stays: true };
    const answer = await hostSession(connection).exclusive(() =>
      askPython<Answer<Applied>>(inputs, program, order, limits),
    );
    const [applied] = listOf(answer, list);
    if (applied !== undefined) return applied;
    throw new ProviderError(
      "FAILED_PRECONDITION",
      `${title(inputs)} on ${connection.name} could not be made as the stack says: ${messageOf(answer) ?? "the answer is empty"}
  fix: if that does not say it, see that the homeserver runs (its unit, its log), then run pulumi up again`,
    );
  }
}

function listOf<T>(answer: Answer<T>, list: string): T[] {
  const found = "message" in answer ? undefined : answer[list];
  return Array.isArray(found) ? found : [];
}

function messageOf(answer: Answer<unknown>): string | undefined {
  return typeof answer.message === "string" ? answer.message : undefined;
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
