import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { visibleLines } from "../text";
import type { State } from "./resource";
import { toStruct } from "./values";

type Failure = "FAILED_PRECONDITION" | "ABORTED" | "UNAVAILABLE" | "DEADLINE_EXCEEDED" | "INTERNAL";

/**
 * A failure with one clear message: the first line is the whole verdict, the indented lines say where, what holds now and
 * what to do. `FAILED_PRECONDITION`: refused, nothing touched. `ABORTED`: undone or stopped. `UNAVAILABLE`: host not
 * reached. `INTERNAL` only when a host was left in neither the old nor the new state, or for a bug of Hearth: the engine then
 * says that its state may be wrong.
 */
export class ProviderError extends Error {
  constructor(
    readonly code: Failure,
    message: string,
  ) {
    super(message);
    this.name = "ProviderError";
  }
}

/** What the engine gets for an error thrown by a resource. Anything but a `ProviderError` is a bug and keeps its stack. */
export function toServiceError(error: unknown): Partial<ServiceError> {
  if (error instanceof ProviderError)
    return { code: status[error.code], details: visibleLines(error.message) };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    code: status.INTERNAL,
    details: `a fault in Hearth's provider; please report it\n${visibleLines(text)}`,
  };
}

/** "It is there but does not work": the engine keeps the state, shows the reasons and plans an update. */
export function toInitFailed(state: State, reasons: string[]): Partial<ServiceError> {
  const failed = new ErrorResourceInitFailed()
    .setId(state.id)
    .setProperties(toStruct(state.outputs))
    .setInputs(toStruct(state.inputs))
    .setReasonsList(reasons.map(visibleLines))
    // Lost for this resource, were it not said here too.
    .setRefreshBeforeUpdate(true);
  const detail = new Any();
  detail.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  // The code must be the call's own: the engine prints all properties, secrets too, when the two differ.
  const code = status.UNKNOWN;
  const message = "the resource is in an unhealthy state";
  const metadata = new Metadata();
  const encoded = new Status().setCode(code).setMessage(message).setDetailsList([detail]);
  metadata.add("grpc-status-details-bin", Buffer.from(encoded.serializeBinary()));
  return { code, details: message, metadata };
}
