import { setTimeout as sleep } from "node:timers/promises";
import type { ReleaseInputs } from "../../contract/release";
import { ProviderError } from "../../protocol/errors";
import type { Call } from "../../protocol/resource";
import type { CallFile } from "../../transport/bootstrap";
import { ConnectionLost } from "../../transport/failures";
import { type HostAnswer, type HostCall, hostSession } from "../../transport/session";
import { type Answer, parseAnswer, parseRow } from "./answer";
import { metaFile } from "./request";

/** Seconds after which a transaction is asked to stop, unless `customTimeouts` say otherwise: packages and environments may take long. */
const DEFAULT_SECONDS = 45 * 60;
/** Seconds that a roll back may take after that. */
const GRACE_SECONDS = 10 * 60;
/** How often a transaction that has not begun yet, or cannot be reached, is asked to stop; once a second. */
const CANCEL_TRIES = 300;
/** Pauses between tries to reach the host again, seconds: about five minutes in all. */
const PAUSES = [1, 2, 4, 8, 15, 15, 15, 30, 30, 30, 30, 30, 30, 30, 30];

/**
 * One transaction on the host, followed to its end. It runs there by itself: a lost connection is opened again and the log
 * read on from where it stopped; Ctrl-C asks it to roll back and waits for that.
 */
export class Follower {
  private readonly lines: string[] = [];
  private logged: Promise<void> = Promise.resolve();
  private step = "";
  private cancelled = false;
  private ended = false;
  private exceeded: number | undefined;
  /** Looks end with the call; what follows a change must not. */
  private readonly patience = new AbortController();

  constructor(
    private readonly call: Call,
    private readonly inputs: ReleaseInputs,
    private readonly apply: string,
  ) {}

  /** The seconds after which the change was asked to stop because they were over; undefined when they were not. */
  get overtime(): number | undefined {
    return this.exceeded;
  }

  /** Starts the transaction with its request and returns its whole log once it has ended. */
  async follow(request: CallFile[]): Promise<Answer> {
    const seconds = this.call.timeoutSeconds || DEFAULT_SECONDS;
    // What cannot be asked to stop ends by itself; its end is what counts.
    const stop = () => void this.cancel().catch(() => undefined);
    const late = setTimeout(() => {
      if (!this.cancelled) this.exceeded = seconds;
      stop();
    }, seconds * 1000);
    this.call.signal.addEventListener("abort", stop);
    try {
      if (this.call.signal.aborted)
        throw new ProviderError("ABORTED", "cancelled before anything was changed");
      return await this.untilEnd(request, seconds + GRACE_SECONDS);
    } finally {
      this.ended = true;
      clearTimeout(late);
      this.call.signal.removeEventListener("abort", stop);
      await this.logged;
    }
  }

  private async untilEnd(request: CallFile[], seconds: number): Promise<Answer> {
    const take = (line: string) => this.take(line);
    let { answer, failure } = await this.attempt("apply.sh", request, seconds, { onLine: take, stays: true });
    if (failure && !isLost(failure)) throw failure;
    for (const pause of PAUSES) {
      const log = parseAnswer(this.lines.join("\n"));
      if (log.end !== undefined) return log;
      // The host's own refusal, sudo, a missing program: nothing that trying again would change.
      if (failure && failure.code !== "UNAVAILABLE") throw failure;
      await this.call.log.step(
        `the connection to ${this.inputs.connection.name} was lost; trying again in ${pause} s`,
      );
      await sleep(pause * 1000);
      ({ answer, failure } = await this.attempt("result.sh", [this.meta()], seconds, { onLine: take }));
    }
    throw this.lost(answer?.stderr ?? "");
  }

  private async attempt(
    name: `${string}.sh`,
    files: CallFile[],
    timeoutSeconds: number,
    how: Pick<HostCall, "onLine" | "stays" | "urgent" | "alone">,
  ): Promise<{ answer?: HostAnswer; failure?: ProviderError }> {
    const session = hostSession(this.inputs.connection);
    const signal = this.patience.signal;
    try {
      const asRoot = this.inputs.scope === "system";
      const program = `machine/programs/${name}` as const;
      const call = { interpreter: "sh" as const, program, asRoot, files, timeoutSeconds, signal };
      return { answer: await session.run({ ...call, ...how, retry: true }) };
    } catch (error) {
      if (error instanceof ProviderError) return { failure: error };
      throw error;
    }
  }

  private take(line: string): void {
    const [kind, ...columns] = parseRow(line);
    this.lines.push(line);
    // What fails here is seen by its effect: the host rolls back.
    if (kind === "confirm") void this.confirm(Number(columns[0])).catch(() => undefined);
    if (kind !== "step") return;
    const [number, of, text] = columns;
    this.step = `[${number}/${of}] ${text}`;
    const message = this.step;
    this.logged = this.logged.then(() => this.call.log.step(message));
  }

  /** Logs in again, as after a change of a firewall nobody else could, and says that it worked. */
  private async confirm(seconds: number): Promise<void> {
    for (let tries = 0; tries < seconds && !this.ended; tries++) {
      const { answer } = await this.attempt("confirm.sh", [this.meta()], seconds, { alone: true });
      if (answer && parseAnswer(answer.stdout).end === "ok") return;
      await sleep(1000);
    }
  }

  private async cancel(): Promise<void> {
    if (this.cancelled) return;
    this.cancelled = true;
    await this.call.log.step(`cancelling: ${this.inputs.connection.name} rolls back at the next safe point`);
    for (let tries = 0; tries < CANCEL_TRIES && !this.ended; tries++) {
      const { answer } = await this.attempt("cancel.sh", [this.meta()], 60, { urgent: true });
      if (answer && parseAnswer(answer.stdout).end === "ok") return;
      await sleep(1000);
    }
  }

  private meta(): CallFile {
    return metaFile(this.inputs, { urn: this.call.urn, apply: this.apply, line: this.lines.length + 1 });
  }

  private lost(stderr: string): ProviderError {
    const { release, connection } = this.inputs;
    const where = this.step ? `it was at ${this.step}` : "nothing of it was seen";
    const said = stderr.trim() ? `\n  ${connection.name} said: ${stderr.trim().split("\n").at(-1)}` : "";
    return new ProviderError(
      "UNAVAILABLE",
      `the connection to ${connection.name} was lost while release ${JSON.stringify(release)} was applied and did not come back; ${where}${said}
  now: the change goes on there by itself and ends finished or undone
  fix: run pulumi up again when ${connection.name} can be reached; it finds out what holds`,
    );
  }
}

/** Lost while a program ran, rather than never reached. */
function isLost(failure: ProviderError): boolean {
  return failure instanceof ConnectionLost;
}
