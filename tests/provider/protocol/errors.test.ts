import { status } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { ProviderError, toInitFailed, toServiceError } from "../../../provider/protocol/errors";
import { checkResponse } from "../../../provider/protocol/responses";
import { fromStruct, secret } from "../../../provider/protocol/values";

test("a user's fault reaches the engine as its message alone, without a stack", () => {
  expect(toServiceError(new ProviderError("ABORTED", "first\n  second"))).toEqual({
    code: status.ABORTED,
    details: "first\n  second",
  });
});

test("a fault of Hearth keeps its stack and says so", () => {
  const { code, details } = toServiceError(new TypeError("oops"));
  expect(code).toBe(status.INTERNAL);
  expect(details).toMatch(/please report it\nTypeError: oops\n {4}at /);
});

test("an unhealthy resource carries its state, wrapped secrets and the wish to be refreshed", () => {
  const state = { id: "vps/x", inputs: { password: secret("p") }, outputs: { generation: 2 } };
  const { code, metadata } = toInitFailed(state, ["probe answers failed"]);
  const [encoded] = metadata?.get("grpc-status-details-bin") ?? [];
  const decoded = Status.deserializeBinary(Uint8Array.from(Buffer.from(encoded ?? "")));
  // The engine prints all properties when the two codes differ.
  expect(decoded.getCode()).toBe(code);
  const detail = decoded.getDetailsList()[0];
  expect(detail?.getTypeName()).toBe("pulumirpc.ErrorResourceInitFailed");
  const failed = ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
  expect(failed.getReasonsList()).toEqual(["probe answers failed"]);
  expect(failed.getRefreshBeforeUpdate()).toBe(true);
  expect(fromStruct(failed.getInputs())).toEqual(state.inputs);
  expect(fromStruct(failed.getProperties())).toEqual(state.outputs);
});

test("[A9] a check failure names no property: the engine would print its value, a secret in clear", () => {
  const response = checkResponse({ inputs: {}, faults: ["connection.sudoPassword: is empty"] });
  const [failure] = response.getFailuresList();
  expect(failure?.getProperty()).toBe("");
  expect(failure?.getReason()).toBe("connection.sudoPassword: is empty");
});
