import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as pb from "@pulumi/pulumi/proto/provider_pb";
import { ProviderError } from "../../../provider/protocol/errors";
import { EngineLog } from "../../../provider/protocol/log";
import { isOurs } from "../../../provider/protocol/peer";
import type { Resource, State } from "../../../provider/protocol/resource";
import { ProviderServer } from "../../../provider/protocol/server";
import { fromStruct, type Properties, secret, toStruct } from "../../../provider/protocol/values";

const URN = "urn:pulumi:vps::hearth::test:index:Thing::thing";

/** The engine's side of a provider with one resource. */
async function withProvider<T>(
  resource: Partial<Resource>,
  ask: (client: ResourceProviderClient) => Promise<T>,
) {
  const none = () => Promise.reject(new Error("not asked for"));
  const whole: Resource = {
    check: (_olds, inputs) => ({ inputs, faults: [] }),
    diff: () => ({ details: new Map() }),
    ...{ create: none, read: none, update: none, delete: none },
    ...resource,
  };
  const server = new ProviderServer({ "test:index:Thing": whole }, new EngineLog(undefined), false);
  const client = new ResourceProviderClient(
    `127.0.0.1:${await server.listen()}`,
    grpc.credentials.createInsecure(),
  );
  try {
    return await ask(client);
  } finally {
    client.close();
    server.close();
  }
}

const read = (client: ResourceProviderClient, inputs: Properties) =>
  new Promise<{ inputs: Properties; outputs: Properties }>((resolve, reject) => {
    const request = new pb.ReadRequest().setUrn(URN).setId("x").setInputs(toStruct(inputs));
    client.read(request, (error, answer) =>
      error
        ? reject(error)
        : resolve({ inputs: fromStruct(answer?.getInputs()), outputs: fromStruct(answer?.getProperties()) }),
    );
  });

describe("[S6] what hosts and users say cannot erase or forge lines of a preview", () => {
  const ESC = "\u001b[1A\u001b[2K";

  it("a name, a file, a topic and a member's ID as Read found them are made visible; secrets and what was asked for stay", async () => {
    const asked: Properties = {
      displayName: "Zoë\u200f",
      topic: "old",
      files: { "/etc/x": { content: "a\tb\n" } },
    };
    const password = secret("with\u001bescape");
    const found = (state: State): State => ({
      id: "x",
      inputs: {
        displayName: state.inputs.displayName ?? null,
        topic: `${ESC}all is well\nmember: @admin:example.org`,
        files: { "/etc/x": { content: `one\n${ESC}two\n` } },
        levels: { [`@a\n${ESC}:b`]: 50 },
        members: ["@good:example.org", `@bad\u202e${ESC}:x`],
        password,
      },
      outputs: { drift: [`changed by hand to ${ESC}`] },
    });
    const seen = await withProvider({ read: async (_call, state) => found(state) }, (client) =>
      read(client, asked),
    );
    const shown = "\\u001b[1A\\u001b[2K";
    expect(seen).toEqual({
      inputs: {
        displayName: "Zoë\u200f",
        topic: `${shown}all is well\\nmember: @admin:example.org`,
        files: { "/etc/x": { content: `one\n${shown}two\n` } },
        levels: { [`@a\\n${shown}:b`]: 50 },
        members: ["@good:example.org", `@bad\\u202e${shown}:x`],
        password,
      },
      outputs: { drift: [`changed by hand to ${shown}`] },
    });
  });

  it.each<[string, () => Promise<never>]>([
    ["an error", () => Promise.reject(new ProviderError("ABORTED", `it said:\n    ${ESC}\u009b2K`))],
    ["a fault of Hearth", () => Promise.reject(new Error(`${ESC}\u009b2K`))],
  ])("%s shows what the host said with its escape sequences visible", async (_what, fail) => {
    const refused = withProvider({ read: fail }, (client) => read(client, { a: "b" }));
    await expect(refused).rejects.toThrow(/\\u001b\[1A\\u001b\[2K\\u009b2K/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
    await expect(refused).rejects.not.toThrow(/[\u001b\u009b]/);
  });

  it("a reason why a resource does not work, too", async () => {
    const ill = async (_call: unknown, state: State) => ({ ...state, unhealthy: [`probe says ${ESC}`] });
    await expect(withProvider({ read: ill }, (client) => read(client, { a: "b" }))).rejects.toMatchObject({
      metadata: expect.anything(),
    });
    const encoded = await withProvider({ read: ill }, (client) => read(client, { a: "b" })).catch((error) =>
      String(error.metadata.get("grpc-status-details-bin")[0]),
    );
    expect(encoded).toContain("probe says \\u001b[1A");
  });
});

describe("a provider answers its own user and root only", () => {
  const uid = process.getuid?.() ?? 0;
  /** A row of /proc/net/tcp: from port 4660 (1234) to 22136 (5678). */
  const row = (owner: number, state = "01", from = "0100007F:1234", to = "0100007F:5678") =>
    `  sl  local_address rem_address   st …\n   0: ${from} ${to} ${state} 00000000:00000000 00:00000000 00000000 ${owner} 0 1 1 0 20 4 30 10 -1\n`;

  it.each<[string, string, boolean]>([
    ["ours", row(uid), true],
    ["root's", row(0), true],
    ["another user's", row(uid + 65_534), false],
    ["one that is closed, which the kernel calls root's", row(0, "06"), false],
    ["the same port to another server", row(uid, "01", "0100007F:1234", "0100007F:5679"), false],
    ["unknown", "  sl  local_address\n", false],
  ])("a connection that is %s", (_what, table, answered) => {
    expect(isOurs("127.0.0.1:4660", 22_136, () => table)).toBe(answered);
  });

  it("another address than loopback's has no owner", () => {
    expect(isOurs("10.0.0.1:4660", 22_136, () => row(0))).toBe(false);
  });
});
