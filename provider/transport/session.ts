import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "../contract/connection";
import { ProviderError } from "../protocol/errors";
import { type CallFile, callInput, hostCommand, newMark, type ProgramName, shellText } from "./bootstrap";
import {
  ConnectionLost,
  describe,
  explainBootstrap,
  explainLogin,
  NO_ANSWER,
  noSessions,
  PROXY_SAID,
  TimedOut,
  withoutHost,
} from "./failures";
import { Gate } from "./gate";
import { type ProcessResult, runProcess } from "./process";
import { lastLine, said } from "./said";
import { failureOf, isDropped, isRefused, neverStarted } from "./signs";
import { controlPath, loginArguments, plainArguments, probeArguments, sessionArguments } from "./ssh";

/** One program run on the host, see PROTOCOL.md. */
export interface HostCall extends ProgramName {
  /** What goes with it, e.g. `request/meta`; the program and what it includes come by themselves. Secrets travel here too. */
  files: CallFile[];
  /** Whether the program is root's (through sudo where the connection says so) or the login user's own. */
  asRoot: boolean;
  /** Every complete line of its answer as it comes. */
  onLine?: (line: string) => void;
  signal: AbortSignal;
  /** Seconds after which the program's connection is cut. */
  timeoutSeconds: number;
  /** Try to log in again even when the last try failed a moment ago. */
  retry?: boolean;
  /** A change: it goes on to its end on the host when we are gone. A look ends with us. */
  stays?: boolean;
  /** Take another connection rather than wait where sshd opens no more sessions on this one. */
  urgent?: boolean;
  /** Log in for this call alone: it proves that a login works now. */
  alone?: boolean;
}

/** The program's own exit status and answer. A failed connection, login or sudo is thrown instead. */
export interface HostAnswer {
  status: number;
  stdout: string;
  stderr: string;
  /** What the host said on standard output that is not the answer. */
  outside: string;
}

/** The way to one host, shared by all resources on it. */
export interface HostSession {
  /** Throws `ProviderError`; {@link ConnectionLost} when the connection ended while the program ran. */
  run(call: HostCall): Promise<HostAnswer>;
  /** Runs one change at a time: the next one starts when this one has ended. */
  exclusive<T>(change: () => Promise<T>): Promise<T>;
}

/** sshd's MaxSessions is 10 by default; where it is less, sessions are refused, and from then on fewer are opened. */
const SESSIONS_PER_HOST = 8;
/** Milliseconds during which the shared connection is taken for alive without asking; far below what ssh keeps it for. */
const TRUSTED = 2000;
/** Milliseconds during which a failed login is not tried again: every resource of a host asks at the same time. */
const FAILURE_KEPT = 15_000;
const LOGIN_SECONDS = 45;
/** How often a session that found no shared connection logs in again: once for one that ended, once for one that was ending. */
const LOGINS_AGAIN = 2;
/**
 * Milliseconds between tries of a session that was refused although no other call runs: those of a program that was cut off, or
 * of another process, end in a moment. About 20 seconds in all.
 */
const REFUSED_PAUSES = [100, 200, 500, 1000, 2000, 3000, 4000, 4000, 5000];
/** Milliseconds between tries of a login that sshd hung up on: it drops some while many others log in (MaxStartups). */
const DROPPED_PAUSES = [1000, 3000];

const sessions = new Map<string, HostSession>();

/** The session for a connection; the same object for the same way of reaching a host. */
export function hostSession(connection: Connection): HostSession {
  const key = JSON.stringify([connection.name, connection.become, connection.sudoPassword, way(connection)]);
  let session = sessions.get(key);
  if (!session) {
    session = connection.transport === "local" ? new LocalSession(connection) : new SshSession(connection);
    sessions.set(key, session);
  }
  return session;
}

function way(connection: Connection): string {
  return connection.transport === "local" ? "local" : controlPath(connection);
}

abstract class Session implements HostSession {
  private readonly changes = new Gate(1);

  constructor(protected readonly connection: Connection) {}

  abstract run(call: HostCall): Promise<HostAnswer>;

  exclusive<T>(change: () => Promise<T>): Promise<T> {
    return this.changes.through(change);
  }

  protected command(call: HostCall): string[] {
    const become = this.becomes(call) ? "sudo" : "none";
    return hostCommand(become, this.connection.sudoPassword !== undefined, call);
  }

  private becomes(call: HostCall): boolean {
    return call.asRoot && this.connection.become === "sudo";
  }

  protected async start(argv: string[], call: HostCall): Promise<ProcessResult> {
    const password = this.becomes(call) ? this.connection.sudoPassword : undefined;
    const { signal, timeoutSeconds, onLine, stays = false } = call;
    const mark = newMark();
    const input = await callInput(call, call.files, password, { mark, stays, seconds: timeoutSeconds });
    return runProcess(argv, { input, mark, signal, timeoutSeconds, onLine });
  }

  protected answer(result: ProcessResult, call: HostCall): HostAnswer {
    const { name } = this.connection;
    const program = basename(call.program);
    const { status, stdout, stderr, outside, came } = result;
    if (result.ended === "aborted") throw new ProviderError("ABORTED", `${program} on ${name} was cancelled`);
    if (result.ended === "timeout") throw new TimedOut(this.connection, program, call.timeoutSeconds);
    if (result.ended) throw new ProviderError("ABORTED", `${program} on ${name} was ended: ${result.ended}`);
    const failure = came === "nothing" && explainBootstrap(this.connection, call, result);
    if (failure) throw failure;
    return { status, stdout, stderr, outside };
  }
}

/** This machine itself. */
class LocalSession extends Session {
  async run(call: HostCall): Promise<HostAnswer> {
    return this.answer(await this.start(this.command(call), call), call);
  }
}

/** A machine behind the operator's own ssh, over one shared connection. */
class SshSession extends Session {
  private readonly places = new Gate(SESSIONS_PER_HOST);
  private login: Promise<void> | undefined;
  private running = 0;
  private aliveUntil = 0;
  private failure: { said: string; until: number; told: boolean } | undefined;

  async run(call: HostCall): Promise<HostAnswer> {
    if (call.alone) return this.onItsOwn(call);
    const pauses = [...REFUSED_PAUSES];
    for (;;) {
      const result = await this.places.through(() => this.attempt(call));
      if (!isRefused(result)) return this.conclude(result, call);
      if (call.urgent) return this.onItsOwn(call);
      // If other calls run, this one waits for the next free place; otherwise it takes a moment, or never works.
      const pause = this.running > 0 ? REFUSED_PAUSES[0] : pauses.shift();
      if (pause === undefined) throw noSessions(this.connection);
      await sleep(pause, undefined, { signal: call.signal }).catch(() => undefined);
    }
  }

  /** Over a connection of its own. */
  private async onItsOwn(call: HostCall): Promise<HostAnswer> {
    return this.conclude(await this.start(plainArguments(this.connection, this.text(call)), call), call);
  }

  /** One session, with the login before it. */
  private async attempt(call: HostCall): Promise<ProcessResult> {
    await this.ensureLogin(call);
    let result = await this.session(call);
    for (let again = 1; neverStarted(result, !call.stays) && again <= LOGINS_AGAIN; again++) {
      // The shared connection ended between our look and the session. Sessions that run at the same time
      // prove nothing: they may have met the same end and not know it yet.
      this.aliveUntil = 0;
      await this.ensureLogin(call, "look");
      result = await this.session(call);
    }
    if (isRefused(result)) this.places.narrow(this.running);
    return result;
  }

  private conclude(result: ProcessResult, call: HostCall): HostAnswer {
    if (result.status === 255 && result.came !== "whole" && !result.ended) {
      this.aliveUntil = 0;
      throw new ConnectionLost(this.connection, result.stderr.trim() ? lastLine(result.stderr) : "");
    }
    return this.answer(result, call);
  }

  private text(call: HostCall): string {
    return shellText(this.command(call));
  }

  private async session(call: HostCall): Promise<ProcessResult> {
    this.running += 1;
    try {
      return await this.start(sessionArguments(this.connection, this.text(call)), call);
    } finally {
      this.running -= 1;
      this.aliveUntil = Math.max(this.aliveUntil, Date.now() + TRUSTED);
    }
  }

  /** Makes sure that the shared connection is there; all callers wait for the same login. */
  private async ensureLogin(call: HostCall, how: "trust" | "look" = "trust"): Promise<void> {
    const trusted = how === "trust" && (this.running > 0 || Date.now() < this.aliveUntil);
    if (!this.login && trusted) return;
    if (this.failure && Date.now() < this.failure.until && !call.retry) throw this.explain(this.failure);
    this.login ??= this.logIn(call.signal).finally(() => {
      this.login = undefined;
    });
    await this.login;
    if (this.failure) throw this.explain(this.failure);
  }

  private async logIn(signal: AbortSignal): Promise<void> {
    const probe = await runProcess(probeArguments(this.connection), { signal, timeoutSeconds: 5 });
    if (probe.status !== 0 && !signal.aborted) {
      const failure = await this.withProxyWords(await this.open(signal), signal);
      this.failure =
        failure === undefined ? undefined : { said: failure, until: Date.now() + FAILURE_KEPT, told: false };
    } else this.failure = undefined;
    if (signal.aborted)
      throw new ProviderError("ABORTED", `the login to ${this.connection.name} was cancelled`);
    if (!this.failure) this.aliveUntil = Date.now() + TRUSTED;
  }

  /** Opens the shared connection and proves that a shell there runs what it is told; what was said when not. */
  private async open(signal: AbortSignal): Promise<string | undefined> {
    for (const pause of [...DROPPED_PAUSES, undefined]) {
      const mark = newMark();
      const argv = loginArguments(this.connection, `echo; echo ${mark}; echo; echo ${mark} 0`);
      const result = await runProcess(argv, { mark, signal, timeoutSeconds: LOGIN_SECONDS });
      const failure = failureOf(result);
      if (pause === undefined || failure === undefined || !isDropped(failure)) return failure;
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }

  /** What the jump host said, where ssh only says that there was no answer from behind it. */
  private async withProxyWords(said: string | undefined, signal: AbortSignal): Promise<string | undefined> {
    if (said === undefined || !NO_ANSWER.test(said)) return said;
    const argv = plainArguments(this.connection, "true");
    const { stderr } = await runProcess(argv, { signal, timeoutSeconds: LOGIN_SECONDS });
    const words = stderr.split(/\r?\n/).filter((line) => line.trim() !== "" && !NO_ANSWER.test(line));
    return words.length > 0 ? `${PROXY_SAID}\n${words.join("\n")}` : said;
  }

  /** The whole message once, a short one for the other resources of the host. */
  private explain(failure: { said: string; told: boolean }): ProviderError {
    const full = explainLogin(this.connection, failure.said);
    if (!failure.told) {
      failure.told = true;
      return full;
    }
    const verdict = full.message.split("\n")[0];
    return new ProviderError(
      "UNAVAILABLE",
      `${verdict}; how to go on stands at another resource of ${this.connection.name}`,
    );
  }
}

/** An answer that breaks the protocol; a bug of Hearth or a broken host, so it shows what there is to see. */
export function brokenAnswer(connection: Connection, program: string, answer: HostAnswer): ProviderError {
  const shown = said(answer.outside, answer.stderr).map((line) => `\n    ${line}`);
  return new ProviderError(
    "ABORTED",
    `${program} on ${describe(connection)} ended with status ${answer.status} and without a complete answer${shown.join("")}
  fix: run it again; if it stays, ${withoutHost(connection.name)}`,
  );
}
