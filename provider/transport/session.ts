import type { Connection } from "../contract/connection";
import { ProviderError } from "../protocol/errors";
import { type CallFile, callInput, hostCommand, type ProgramName, shellText } from "./bootstrap";
import {
  ConnectionLost,
  describe,
  explainBootstrap,
  explainLogin,
  lastLine,
  NO_ANSWER,
  NO_SHELL,
  PROXY_SAID,
  withoutHost,
} from "./failures";
import { Gate } from "./gate";
import { type ProcessResult, runProcess } from "./process";
import { controlPath, loginArguments, plainArguments, probeArguments, sessionArguments } from "./ssh";

/** One program run on the host, see PROTOCOL.md. */
export interface HostCall extends ProgramName {
  /** What goes with it, e.g. `request/meta`; the program and what it includes come by themselves. Secrets travel here too. */
  files: CallFile[];
  /** Whether the program is root's (through sudo where the connection says so) or the login user's own. */
  asRoot: boolean;
  /** Every complete line of standard output as it comes. */
  onLine?: (line: string) => void;
  signal: AbortSignal;
  /** Seconds after which the program's connection is cut. */
  timeoutSeconds: number;
  /** Try to log in again even when the last try failed a moment ago. */
  retry?: boolean;
}

/** The program's own exit status and output. A failed connection, log-in or sudo is thrown instead. */
export interface HostAnswer {
  status: number;
  stdout: string;
  stderr: string;
}

/** The way to one host, shared by all resources on it. */
export interface HostSession {
  /** Throws `ProviderError`; {@link ConnectionLost} when the connection ended while the program ran. */
  run(call: HostCall): Promise<HostAnswer>;
  /** Runs one change at a time: the next one starts when this one has ended. */
  exclusive<T>(change: () => Promise<T>): Promise<T>;
}

/** sshd's MaxSessions is 10 by default; beyond it, sessions are refused. */
const SESSIONS_PER_HOST = 8;
/** Milliseconds during which the shared connection is taken for alive without asking; far below what ssh keeps it for. */
const TRUSTED = 2000;
/** Milliseconds during which a failed log-in is not tried again: every resource of a host asks at the same time. */
const FAILURE_KEPT = 15_000;
const LOGIN_SECONDS = 45;
/** How often a session that found no shared connection logs in anew: once for one that ended, once for one that was ending. */
const LOGINS_AGAIN = 2;

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
    const input = await callInput(call, call.files, password);
    return runProcess(argv, { ...call, input });
  }

  protected answer(result: ProcessResult, call: HostCall): HostAnswer {
    const { name } = this.connection;
    if (result.ended === "aborted")
      throw new ProviderError("ABORTED", `${call.program} on ${name} was cancelled`);
    if (result.ended === "timeout") {
      throw new ConnectionLost(
        this.connection,
        `${call.program} gave no result within ${call.timeoutSeconds} s`,
      );
    }
    if (result.ended)
      throw new ProviderError("ABORTED", `${call.program} on ${name} was ended: ${result.ended}`);
    const failure = explainBootstrap(this.connection, call, result.status, result.stderr);
    if (failure) throw failure;
    return { status: result.status, stdout: result.stdout, stderr: result.stderr };
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

  run(call: HostCall): Promise<HostAnswer> {
    return this.places.through(async () => {
      await this.ensureLogin(call);
      let result = await this.session(call);
      for (let again = 1; neverStarted(result) && again <= LOGINS_AGAIN; again++) {
        // The shared connection ended between our look and the session. Sessions that run beside this one
        // prove nothing: they may have met the same end and not know it yet.
        this.aliveUntil = 0;
        await this.ensureLogin(call, "look");
        result = await this.session(call);
      }
      if (result.status === 255 && !result.ended) {
        this.aliveUntil = 0;
        throw new ConnectionLost(this.connection, result.stderr.trim() ? lastLine(result.stderr) : "");
      }
      return this.answer(result, call);
    });
  }

  private async session(call: HostCall): Promise<ProcessResult> {
    this.running += 1;
    try {
      return await this.start(sessionArguments(this.connection, shellText(this.command(call))), call);
    } finally {
      this.running -= 1;
      this.aliveUntil = Math.max(this.aliveUntil, Date.now() + TRUSTED);
    }
  }

  /** Makes sure that the shared connection is there; all callers wait for the same log-in. */
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
      const result = await runProcess(loginArguments(this.connection, "true"), {
        signal,
        timeoutSeconds: LOGIN_SECONDS,
      });
      if (result.ended === "aborted")
        throw new ProviderError("ABORTED", `the log-in to ${this.connection.name} was cancelled`);
      const said = await this.withProxyWords(failureOf(result), signal);
      this.failure = said === undefined ? undefined : { said, until: Date.now() + FAILURE_KEPT, told: false };
    } else this.failure = undefined;
    if (signal.aborted)
      throw new ProviderError("ABORTED", `the log-in to ${this.connection.name} was cancelled`);
    if (!this.failure) this.aliveUntil = Date.now() + TRUSTED;
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

/** What a log-in that ran `true` said when it failed. */
function failureOf({ status, stderr, ended }: ProcessResult): string | undefined {
  if (ended) return "Connection timed out";
  if (status === -1) return `ssh could not be started: ${stderr}`;
  if (status === 0 || status === 255) return status === 0 ? undefined : stderr;
  return `${NO_SHELL} (status ${status}: ${lastLine(stderr)})`;
}

/** Words of ssh from before it has handed its program to the shared connection. */
const NEVER_STARTED =
  /kex_exchange_identification|closed by UNKNOWN port|session request failed|Control socket connect|mux_client_(hello_exchange|request_alive)|mux_client_request_session: write packet/;

/** Whether ssh found no shared connection, or a dying one, and its forbidden direct one failed: the program never ran. */
function neverStarted(result: ProcessResult): boolean {
  return result.status === 255 && !result.ended && NEVER_STARTED.test(result.stderr);
}

/** An answer that breaks the protocol; a bug of ours or a broken host, so it shows what there is to see. */
export function brokenAnswer(connection: Connection, program: string, answer: HostAnswer): ProviderError {
  const said = answer.stderr.trim().split("\n").slice(-10);
  const shown = said.map((line) => `    ${line}`).join("\n");
  return new ProviderError(
    "ABORTED",
    `${program} on ${describe(connection)} ended with status ${answer.status} and without a complete answer\n${shown}
  do: run it again; if it stays, ${withoutHost(connection.name)}`,
  );
}
