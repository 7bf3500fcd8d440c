import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import type { HostFacts } from "../components/hosts/facts";
import { answers } from "./answers";

/** A stack as the program gets it from the engine. */
export interface RecordedStack {
  /** Name of the stack. */
  name: string;
  /** The `hearth:` keys and their values, with secrets in clear text. */
  raw: Readonly<Record<string, unknown>>;
}

/** One resource that the program registered. */
export interface Registered {
  type: string;
  name: string;
  /** As sent to the engine: each secret value is wrapped in the engine's own marker. */
  inputs: Record<string, unknown>;
  /** Names of the resources that it depends on, sorted. */
  dependsOn: string[];
  /** Name of its parent; empty for the stack itself. */
  parent: string;
}

/** The result of a run of the program. */
export interface ProgramRun {
  /** In the order of their registration. */
  resources: Registered[];
  outputs: Record<string, unknown>;
  warnings: string[];
  /** Any of these fails the run. */
  errors: string[];
}

/** The login user of a host with rootless containers. */
const LOGIN = { user: "alice", group: "alice", uid: 1000, home: "/home/alice" };
const SECRET_MARK = "4dabf18193072939515e22adb298388d";

/**
 * Runs the program for one stack against an engine that only records. It connects to no host and changes nothing.
 * The program uses the current directory and HEARTH_TRUSTED: set them before.
 * @param facts the facts of every host of the stack
 * @param load loads index.ts again, with the same `@pulumi/pulumi` as this module, and returns its exports
 */
export async function record(
  stack: RecordedStack,
  facts: HostFacts,
  load: () => Record<string, unknown>,
): Promise<ProgramRun> {
  const run: ProgramRun = { resources: [], outputs: {}, warnings: [], errors: [] };
  const restore = listen(run);
  await pulumi.runtime.setMocks(
    {
      call: () => ({}),
      newResource: ({ type, name, inputs }) => ({
        id: name,
        state: { ...inputs, ...answer(type, name, inputs, facts) },
      }),
    },
    "hearth",
    stack.name,
  );
  const config = Object.entries(stack.raw).map(([key, value]) => [`hearth:${key}`, JSON.stringify(value)]);
  pulumi.runtime.setAllConfig(Object.fromEntries(config), ["hearth:secrets"]);
  try {
    run.outputs = await resolved(load());
    await pulumi.runtime.disconnect();
  } finally {
    restore();
  }
  return run;
}

/**
 * Records every registration and message until the returned function is called. It does not use the mocks' inputs: for them
 * a whole object is secret if one of its leaves is.
 */
function listen(run: ProgramRun): () => void {
  const { warn, error } = pulumi.log;
  const register = MockMonitor.prototype.registerResource;
  Object.assign(pulumi.log, {
    warn: async (message: string) => void run.warnings.push(message),
    error: async (message: string) => void run.errors.push(message),
  });
  MockMonitor.prototype.registerResource = function (this: MockMonitor, request, callback) {
    run.resources.push({
      type: request.getType(),
      name: request.getName(),
      inputs: request.getObject()?.toJavaScript() ?? {},
      dependsOn: request.getDependenciesList().map(nameOf).sort(),
      parent: nameOf(request.getParent()),
    });
    return register.call(this, request, callback);
  };
  return () => {
    Object.assign(pulumi.log, { warn, error });
    MockMonitor.prototype.registerResource = register;
  };
}

/** Outputs of our resources, like the provider's. */
function answer(
  type: string,
  name: string,
  inputs: Record<string, unknown>,
  facts: HostFacts,
): Record<string, unknown> {
  if (type.endsWith(":Host"))
    return { facts: answers(inputs.rootless === true ? { ...facts, login: LOGIN } : facts) };
  if (type.endsWith(":Release")) {
    const facts = Object.keys(isObject(inputs.publishes) ? inputs.publishes : {});
    const published = Object.fromEntries(facts.map((fact) => [fact, publishedAs(fact, name)]));
    return { instance: `i-${name}`, digest: `digest-of-${name}`, published };
  }
  if (type.endsWith(":Account")) return { userId: `@${name}` };
  if (/:(Space|Room)$/.test(type)) return { roomId: `!${name}`, inviteLink: `link-to-${name}` };
  return { results: [] };
}

/** A fact that a host would publish; it looks like a public key. */
function publishedAs(fact: string, name: string): string {
  return createHash("sha256").update(`${fact} of ${name}`).digest("base64");
}

function resolved(exported: Record<string, unknown>): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    pulumi.output({ ...exported }).apply((values) => resolve(values));
  });
}

/** The name at the end of a URN. */
function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? "";
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The same value with the engine's secret wrappers replaced by the result of `secret` for their content; by default the content. */
export function unwrap(
  value: unknown,
  secret: (content: unknown) => unknown = (content) => content,
): unknown {
  if (Array.isArray(value)) return value.map((item) => unwrap(item, secret));
  if (!isObject(value)) return value;
  if (SECRET_MARK in value) return unwrap(secret(value.value), secret);
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, unwrap(child, secret)]));
}
