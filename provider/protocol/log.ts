import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { visibleLines } from "../text";
import type { Log } from "./resource";

/** The engine's log service. Connects at the first line. */
export class EngineLog {
  private client: EngineClient | undefined;

  /** `address`: `host:port` of the engine; without one (tests) lines are dropped. */
  constructor(private readonly address: string | undefined) {}

  /** The log of one resource. */
  for(urn: string): Log {
    const send = (severity: LogSeverity, message: string, ephemeral = false) =>
      this.send(
        new LogRequest()
          .setSeverity(severity)
          .setMessage(visibleLines(message))
          .setUrn(urn)
          .setEphemeral(ephemeral),
      );
    return {
      step: (message) => send(LogSeverity.INFO, message, true),
      info: (message) => send(LogSeverity.INFO, message),
      warning: (message) => send(LogSeverity.WARNING, message),
      debug: (message) => send(LogSeverity.DEBUG, message),
    };
  }

  close(): void {
    this.client?.close();
  }

  /** A line that the engine does not take is lost: the engine may be gone, and the call must still end properly. */
  private send(request: LogRequest): Promise<void> {
    if (this.address === undefined) return Promise.resolve();
    this.client ??= new EngineClient(this.address, insecure());
    const client = this.client;
    return new Promise((resolve) => {
      client.log(request, () => resolve());
    });
  }
}

/** The engine listens on loopback without TLS. */
function insecure(): ChannelCredentials {
  return credentials.createInsecure();
}
