import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { type LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as pb from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { fromStruct, type Properties, toStruct } from "../../provider/protocol/values";

const ROOT = path.resolve(__dirname, "../..");

/** A line that the provider sent to the engine. */
export interface LogLine {
  severity: "debug" | "info" | "warning" | "error";
  message: string;
  ephemeral: boolean;
}

/** A resource in the engine's state. */
export interface StoredResource {
  id: string;
  inputs: Properties;
  outputs: Properties;
}

/** The engine's error "the resource exists but does not work". */
export class InitFailed extends Error {
  constructor(
    readonly stored: StoredResource,
    readonly reasons: string[],
    readonly refreshBeforeUpdate: boolean,
  ) {
    super(reasons.join("; "));
  }
}

/** The provider in a separate process, as the engine runs it; this test replaces the engine. */
export class ProviderClient {
  readonly logs: LogLine[] = [];

  private constructor(
    readonly process: ChildProcess,
    private readonly client: ResourceProviderClient,
    private readonly engine: grpc.Server,
  ) {}

  static async start(environment: NodeJS.ProcessEnv = {}): Promise<ProviderClient> {
    const engine = new grpc.Server();
    const sink: { take?: (request: LogRequest) => void } = {};
    engine.addService(EngineService, {
      log: (call: grpc.ServerUnaryCall<LogRequest, Empty>, callback: grpc.sendUnaryData<Empty>) => {
        sink.take?.(call.request);
        callback(null, new Empty());
      },
      getRootResource: refuse,
      setRootResource: refuse,
      startDebugging: refuse,
      requirePulumiVersion: refuse,
    });
    const port = await new Promise<number>((resolve, reject) => {
      engine.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    const child = spawn(process.execPath, [path.join(ROOT, "provider/launch.js"), `127.0.0.1:${port}`], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...environment },
    });
    const [line] = await once(createInterface({ input: child.stdout }), "line");
    const client = new ResourceProviderClient(`127.0.0.1:${line}`, grpc.credentials.createInsecure());
    const provider = new ProviderClient(child, client, engine);
    sink.take = (request) => provider.logs.push(toLine(request));
    return provider;
  }

  /** Ends the provider like the engine at its normal end. */
  async stop(): Promise<number | null> {
    await this.cancel();
    return this.kill("SIGINT");
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    const ended = this.process.exitCode === null ? once(this.process, "exit") : undefined;
    this.process.kill(signal);
    await ended;
    this.close();
    return this.process.exitCode;
  }

  close(): void {
    this.client.close();
    this.engine.forceShutdown();
  }

  cancel(): Promise<Empty> {
    return send((done) => this.client.cancel(new Empty(), done));
  }

  async check(
    urn: string,
    news: Properties,
    olds: Properties = {},
  ): Promise<{ inputs: Properties; faults: string[] }> {
    const request = new pb.CheckRequest().setUrn(urn).setNews(toStruct(news)).setOlds(toStruct(olds));
    const response = await send<pb.CheckResponse>((done) => this.client.check(request, done));
    return {
      inputs: fromStruct(response.getInputs()),
      faults: response.getFailuresList().map((failure) => failure.getProperty() + failure.getReason()),
    };
  }

  /** Leaf path to kind, e.g. `files["/etc/x"].content` to `UPDATE`. */
  async diff(urn: string, olds: Properties, news: Properties): Promise<Record<string, string>> {
    const request = new pb.DiffRequest().setUrn(urn).setOldInputs(toStruct(olds)).setNews(toStruct(news));
    const response = await send<pb.DiffResponse>((done) => this.client.diff(request, done));
    const names = Object.entries(pb.PropertyDiff.Kind);
    const kinds: Record<string, string> = {};
    response.getDetaileddiffMap().forEach((detail, key) => {
      kinds[key] = names.find(([, kind]) => kind === detail.getKind())?.[0] ?? "?";
    });
    return kinds;
  }

  async create(urn: string, inputs: Properties, preview = false): Promise<StoredResource> {
    const request = new pb.CreateRequest().setUrn(urn).setProperties(toStruct(inputs)).setPreview(preview);
    const response = await send<pb.CreateResponse>((done) => this.client.create(request, done));
    if (!response.getRefreshBeforeUpdate()) throw new Error("Create did not ask to be refreshed");
    return { id: response.getId(), inputs, outputs: fromStruct(response.getProperties()) };
  }

  /** Undefined: gone. */
  async read(urn: string, stored: StoredResource): Promise<StoredResource | undefined> {
    const request = new pb.ReadRequest()
      .setUrn(urn)
      .setId(stored.id)
      .setInputs(toStruct(stored.inputs))
      .setProperties(toStruct(stored.outputs));
    const response = await send<pb.ReadResponse>((done) => this.client.read(request, done));
    if (response.getId() === "") return undefined;
    if (!response.getRefreshBeforeUpdate()) throw new Error("Read did not ask to be refreshed again");
    return {
      id: response.getId(),
      inputs: fromStruct(response.getInputs()),
      outputs: fromStruct(response.getProperties()),
    };
  }

  async update(
    urn: string,
    stored: StoredResource,
    news: Properties,
    preview = false,
  ): Promise<StoredResource> {
    const request = new pb.UpdateRequest()
      .setUrn(urn)
      .setId(stored.id)
      .setOldInputs(toStruct(stored.inputs))
      .setOlds(toStruct(stored.outputs))
      .setNews(toStruct(news))
      .setPreview(preview);
    const response = await send<pb.UpdateResponse>((done) => this.client.update(request, done));
    if (!response.getRefreshBeforeUpdate()) throw new Error("Update did not ask to be refreshed");
    return { id: stored.id, inputs: news, outputs: fromStruct(response.getProperties()) };
  }

  async delete(urn: string, stored: StoredResource): Promise<void> {
    const request = new pb.DeleteRequest()
      .setUrn(urn)
      .setId(stored.id)
      .setOldInputs(toStruct(stored.inputs))
      .setProperties(toStruct(stored.outputs));
    await send<Empty>((done) => this.client.delete(request, done));
  }

  /** The collected lines of one severity since the last call, without progress. */
  takeLogs(severity: LogLine["severity"]): string[] {
    const taken = this.logs.filter((line) => line.severity === severity && !line.ephemeral);
    this.logs.length = 0;
    return taken.map(({ message }) => message);
  }
}

type Done<T> = (error: grpc.ServiceError | null, response: T) => void;

function send<T>(call: (done: Done<T>) => grpc.ClientUnaryCall): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, response) => (error ? reject(initFailed(error) ?? error) : resolve(response)));
  });
}

/** Reads an error like the engine: it would print details with another code than the call's with all properties. */
function initFailed(error: grpc.ServiceError): InitFailed | undefined {
  const [encoded] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (encoded === undefined || typeof encoded === "string") return undefined;
  const status = Status.deserializeBinary(Uint8Array.from(encoded));
  if (status.getCode() !== error.code) throw new Error("Status.code differs from the call's code");
  const detail = status.getDetailsList()[0];
  if (detail?.getTypeName() !== "pulumirpc.ErrorResourceInitFailed") return undefined;
  const failed = pb.ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
  const stored = {
    id: failed.getId(),
    inputs: fromStruct(failed.getInputs()),
    outputs: fromStruct(failed.getProperties()),
  };
  return new InitFailed(stored, failed.getReasonsList(), failed.getRefreshBeforeUpdate());
}

function toLine(request: LogRequest): LogLine {
  const severities = { [LogSeverity.DEBUG]: "debug", [LogSeverity.INFO]: "info" } as const;
  const severity = request.getSeverity();
  const name =
    severity === LogSeverity.WARNING
      ? "warning"
      : severity === LogSeverity.ERROR
        ? "error"
        : (severities[severity] ?? "error");
  return { severity: name, message: request.getMessage(), ephemeral: request.getEphemeral() };
}

function refuse(_call: grpc.ServerUnaryCall<unknown, unknown>, callback: grpc.sendUnaryData<never>): void {
  callback({ code: grpc.status.UNIMPLEMENTED, details: "not part of these tests" });
}
