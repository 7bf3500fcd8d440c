import { setMaxListeners } from "node:events";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as pb from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { toInitFailed, toServiceError } from "./errors";
import type { EngineLog } from "./log";
import { Peers } from "./peer";
import type { Call, Resource, State } from "./resource";
import { checkResponse, diffResponse } from "./responses";
import { showable } from "./showable";
import { fromStruct, toStruct } from "./values";

export const VERSION = "0.1.0";
/** The engine's own limit for one message, bytes. */
const MESSAGE_LIMIT = 400 << 20;

type Asked = ServerUnaryCall<unknown, unknown>;
type Handler = (call: Asked, callback: sendUnaryData<unknown>) => void;

/** What the calls that may reach a host have in common. */
interface HostRequest {
  getUrn(): string;
  getName(): string;
  getTimeout(): number;
}

/** Answers the engine: translates each call to plain values and hands it to the resource of its type. */
export class ProviderServer {
  private readonly stopping = new AbortController();
  private readonly server = new Server({
    "grpc.max_receive_message_length": MESSAGE_LIMIT,
    "grpc.max_send_message_length": MESSAGE_LIMIT,
  });
  private readonly peers = new Peers();
  private readonly running = new Set<Promise<unknown>>();
  private port = 0;

  /** `resources`: type token (`hearth-host:index:Release`) to resource. */
  constructor(
    private readonly resources: Record<string, Resource>,
    private readonly log: EngineLog,
    private readonly offline: boolean,
  ) {}

  /** Starts listening on loopback and returns the port. */
  listen(): Promise<number> {
    // Every running call listens for the cancel; there is no limit to how many run.
    setMaxListeners(0, this.stopping.signal);
    this.server.addService(ResourceProviderService, this.guarded({ ...unimplemented(), ...this.handlers() }));
    return new Promise((resolve, reject) => {
      this.server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
        this.port = port;
        if (error) reject(error);
        else resolve(port);
      });
    });
  }

  /** Stops looks, lets changes finish or undo themselves. At the normal end nothing runs and nothing happens. */
  cancel(): void {
    this.stopping.abort();
  }

  /** Resolves when no call runs any more, or after the given milliseconds. */
  async idle(milliseconds: number): Promise<void> {
    const late = new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
    await Promise.race([Promise.allSettled([...this.running]), late]);
  }

  close(): void {
    this.server.forceShutdown();
    this.log.close();
  }

  /** Every call of somebody else is refused, see {@link Peers}. */
  private guarded(handlers: UntypedServiceImplementation): UntypedServiceImplementation {
    const guard = (handler: Handler) => (call: Asked, callback: sendUnaryData<unknown>) => {
      if (this.peers.isOurs(call.getPeer(), this.port)) handler(call, callback);
      else callback({ code: status.PERMISSION_DENIED, details: "this provider serves another user" });
    };
    return Object.fromEntries(
      Object.entries(handlers).map(([name, handler]) => [name, guard(handler as Handler)]),
    );
  }

  private handlers(): UntypedServiceImplementation {
    return {
      handshake: answer(() =>
        new pb.ProviderHandshakeResponse()
          .setAcceptSecrets(true)
          .setAcceptResources(true)
          .setAcceptOutputs(false),
      ),
      getPluginInfo: answer(() => new PluginInfo().setVersion(VERSION)),
      getSchema: answer(() =>
        new pb.GetSchemaResponse().setSchema(JSON.stringify({ name: "hearth-host", version: VERSION })),
      ),
      checkConfig: answer((request: pb.CheckRequest) => new pb.CheckResponse().setInputs(request.getNews())),
      diffConfig: answer(() => new pb.DiffResponse().setChanges(pb.DiffResponse.DiffChanges.DIFF_NONE)),
      configure: answer(() =>
        new pb.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true).setAcceptresources(true),
      ),
      check: answer((request: pb.CheckRequest) => {
        const resource = this.resource(request.getUrn());
        return checkResponse(resource.check(fromStruct(request.getOlds()), fromStruct(request.getNews())));
      }),
      diff: answer((request: pb.DiffRequest) => {
        const resource = this.resource(request.getUrn());
        return diffResponse(resource.diff(fromStruct(request.getOldInputs()), fromStruct(request.getNews())));
      }),
      create: this.hostHandler(this.create),
      read: this.hostHandler(this.read),
      update: this.hostHandler(this.update),
      delete: this.hostHandler(this.delete),
      cancel: answer(() => {
        this.cancel();
        return new Empty();
      }),
    };
  }

  private async create(request: pb.CreateRequest): Promise<pb.CreateResponse> {
    const call = this.call(request, request.getPreview());
    const inputs = fromStruct(request.getProperties());
    const { id, outputs } = await this.resource(call.urn).create(call, inputs);
    return new pb.CreateResponse()
      .setId(call.preview ? "" : id)
      .setProperties(toStruct(showable(outputs, inputs)))
      .setRefreshBeforeUpdate(true);
  }

  private async read(request: pb.ReadRequest): Promise<pb.ReadResponse> {
    const call = this.call(request, false);
    const state = {
      id: request.getId(),
      inputs: fromStruct(request.getInputs()),
      outputs: fromStruct(request.getProperties()),
    };
    const seen = await this.resource(call.urn).read(call, state);
    if (!seen) return new pb.ReadResponse();
    const found = {
      ...seen,
      inputs: showable(seen.inputs, state.inputs),
      outputs: showable(seen.outputs, state.outputs),
    };
    if (found.unhealthy?.length) throw new Unhealthy(found, found.unhealthy);
    return new pb.ReadResponse()
      .setId(found.id)
      .setInputs(toStruct(found.inputs))
      .setProperties(toStruct(found.outputs))
      .setRefreshBeforeUpdate(true);
  }

  private async update(request: pb.UpdateRequest): Promise<pb.UpdateResponse> {
    const call = this.call(request, request.getPreview());
    const state = {
      id: request.getId(),
      inputs: fromStruct(request.getOldInputs()),
      outputs: fromStruct(request.getOlds()),
    };
    const news = fromStruct(request.getNews());
    const outputs = showable(await this.resource(call.urn).update(call, state, news), news);
    return new pb.UpdateResponse().setProperties(toStruct(outputs)).setRefreshBeforeUpdate(true);
  }

  private async delete(request: pb.DeleteRequest): Promise<Empty> {
    const call = this.call(request, false);
    await this.resource(call.urn).delete(call, {
      id: request.getId(),
      inputs: fromStruct(request.getOldInputs()),
      outputs: fromStruct(request.getProperties()),
    });
    return new Empty();
  }

  private call(request: HostRequest, preview: boolean): Call {
    return {
      urn: request.getUrn(),
      name: request.getName() || request.getUrn().replace(/^.*::/, ""),
      preview,
      offline: this.offline,
      log: this.log.for(request.getUrn()),
      signal: this.stopping.signal,
      timeoutSeconds: request.getTimeout(),
    };
  }

  private resource(urn: string): Resource {
    // urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME
    const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
    const resource = this.resources[type];
    if (!resource) throw new Error(`unknown resource type ${type} in ${urn}`);
    return resource;
  }

  private hostHandler<Q, A>(method: (this: ProviderServer, request: Q) => Promise<A>) {
    return (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>): void => {
      const done = method.call(this, call.request).then(
        (response) => callback(null, response),
        (error) =>
          callback(
            error instanceof Unhealthy ? toInitFailed(error.state, error.reasons) : toServiceError(error),
          ),
      );
      this.running.add(done);
      void done.finally(() => this.running.delete(done));
    };
  }
}

/** Carries the state of a resource that is there but does not work to where the answer is encoded. */
class Unhealthy extends Error {
  constructor(
    readonly state: State,
    readonly reasons: string[],
  ) {
    super("unhealthy");
  }
}

function answer<Q, A>(method: (request: Q) => A) {
  return (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>): void => {
    try {
      callback(null, method(call.request));
    } catch (error) {
      callback(toServiceError(error));
    }
  };
}

function unimplemented(): UntypedServiceImplementation {
  const refuse = (_call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>) =>
    callback({ code: status.UNIMPLEMENTED, details: "this provider does not implement the call" });
  return Object.fromEntries(Object.keys(ResourceProviderService).map((name) => [name, refuse]));
}
