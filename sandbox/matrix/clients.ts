import { type ChildProcess, fork } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import type { Call, ClientSettings, MethodName, Reply, SessionMethods } from "./protocol";

const root = path.resolve(__dirname, "../..");

export interface ClientOptions extends ClientSettings {
  /** File for the clients' own log. Default: no log. */
  logFile?: string;
}

/** Real Matrix clients, end-to-end encrypted, in a separate process. End it with `close`. */
export class MatrixClients {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  private readonly closed: Promise<void>;
  private calls = 0;

  constructor({ logFile, ...settings }: ClientOptions) {
    const log = logFile === undefined ? undefined : fs.openSync(logFile, "a", 0o600);
    this.child = fork(path.join(__dirname, "process.ts"), [], {
      execArgv: ["-r", path.join(root, "toolchain/register.js")],
      env: { ...process.env, NODE_OPTIONS: "", HEARTH_MATRIX_CLIENTS: JSON.stringify(settings) },
      stdio: ["ignore", "ignore", log ?? "ignore", "ipc"],
    });
    if (log !== undefined) fs.closeSync(log);
    this.child.on("message", (reply: Reply) => this.settle(reply));
    this.closed = new Promise((resolve) => {
      this.child.once("exit", (code, signal) => {
        const where = logFile ? `; its log: ${logFile}` : "";
        this.fail(new Error(`the Matrix clients ended (${signal ?? `exit code ${code}`})${where}`));
        resolve();
      });
    });
  }

  /** A session by any name: one name, one device. Log in first. */
  session(name: string): SessionMethods {
    const call =
      <Method extends MethodName>(method: Method) =>
      (argument?: unknown) =>
        this.call(name, method, argument) as ReturnType<SessionMethods[Method]>;
    return {
      login: call("login"),
      createEncryptedRoom: call("createEncryptedRoom"),
      joinedRoom: call("joinedRoom"),
      invite: call("invite"),
      acceptInvite: call("acceptInvite"),
      join: call("join"),
      membership: call("membership"),
      waitForMember: call("waitForMember"),
      send: call("send"),
      read: call("read"),
      wireEvent: call("wireEvent"),
      leave: call("leave"),
      logout: call("logout"),
    };
  }

  /** Ends the process; sessions that did not log out leave their device on the server. */
  async close(): Promise<void> {
    if (this.child.connected) this.child.disconnect();
    await this.closed;
  }

  private call(session: string, method: MethodName, argument: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.calls += 1;
      const call: Call = { id: this.calls, session, method, argument };
      this.waiting.set(call.id, { resolve, reject });
      // The callback reports a closed channel.
      this.child.send(call, (error) => error && this.settle({ id: call.id, error: error.message }));
    });
  }

  private settle(reply: Reply): void {
    const call = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if ("error" in reply) call?.reject(new Error(reply.error));
    else call?.resolve(reply.result);
  }

  private fail(error: Error): void {
    for (const call of this.waiting.values()) call.reject(error);
    this.waiting.clear();
  }
}
