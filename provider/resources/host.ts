import type { Connection } from "../contract/connection";
import type { HostFacts, HostInputs } from "../contract/host";
import { connectionShape } from "../protocol/connection";
import { compare } from "../protocol/diff";
import { ProviderError } from "../protocol/errors";
import type { Call, Resource } from "../protocol/resource";
import { object, parse } from "../protocol/shape";
import {
  hasUnknown,
  isObject,
  type Properties,
  revealAll,
  secret,
  secretPaths,
  toProperties,
  UNKNOWN,
} from "../protocol/values";
import { parseAnswer } from "../release/answer";
import { warnOffline } from "../transport/offline";
import { brokenAnswer, hostSession } from "../transport/session";

const FACTS_SECONDS = 60;

const hostShape = object<HostInputs>({ connection: connectionShape });

/** A machine and its facts, read in previews too. Changes nothing, ever. */
export const host: Resource = {
  check(_olds, news) {
    const faults = secretPaths(news)
      .filter((path) => path !== "connection.sudoPassword")
      .map((path) => `${path}: is a secret; of a connection only sudoPassword is one`);
    // What follows shows values; one of these may be what must not be shown.
    if (faults.length > 0) return { inputs: news, faults };
    const checked = hostShape.check(revealAll(news), "", faults);
    return { inputs: wrapPassword(isObject(checked) ? checked : news), faults };
  },
  diff: (olds, news) => ({ details: compare(olds, news, ["connection.name"]) }),
  async create(call, inputs) {
    if (hasUnknown(inputs)) return { id: "", outputs: { facts: UNKNOWN } };
    const { connection } = parseInputs(inputs);
    if (call.preview && call.offline) {
      await warnOffline(call, connection.name);
      return { id: "", outputs: { facts: UNKNOWN } };
    }
    return { id: connection.name, outputs: await facts(call, connection) };
  },
  async read(call, state) {
    if (Object.keys(state.inputs).length === 0) throw importRefused(state.id);
    const { connection } = parseInputs(state.inputs);
    if (call.offline) {
      await warnOffline(call, connection.name);
      return state;
    }
    return { ...state, outputs: await facts(call, connection) };
  },
  async update(call, state, news) {
    if (hasUnknown(news) || (call.preview && call.offline)) return state.outputs;
    return facts(call, parseInputs(news).connection);
  },
  async delete() {
    // A Host owns nothing on the machine.
  },
};

function parseInputs(inputs: Properties): HostInputs {
  return parse(hostShape, revealAll(inputs), "the inputs of the host");
}

/** The password for sudo must stay a secret in the state. */
function wrapPassword(inputs: Properties): Properties {
  const { connection } = inputs;
  if (!isObject(connection) || connection.sudoPassword === undefined) return inputs;
  return { ...inputs, connection: { ...connection, sudoPassword: secret(connection.sudoPassword) } };
}

async function facts(call: Call, connection: Connection): Promise<Properties> {
  const answer = await hostSession(connection).run({
    interpreter: "sh",
    program: "facts.sh",
    files: [],
    signal: call.signal,
    timeoutSeconds: FACTS_SECONDS,
  });
  const { rows, end, refusal } = parseAnswer(answer.stdout);
  if (refusal) {
    throw new ProviderError(
      "FAILED_PRECONDITION",
      `${connection.name} cannot be used (${refusal.code}): ${refusal.text}\n  now: nothing was changed on ${connection.name}`,
    );
  }
  if (end === undefined || answer.status !== 0) throw brokenAnswer(connection, "facts.sh", answer);
  const found = new Map(
    rows.filter(([kind]) => kind === "fact").map(([, key = "", value = ""]) => [key, value]),
  );
  return { facts: toProperties(toFacts(found)) };
}

function toFacts(found: Map<string, string>): HostFacts {
  const text = (key: string) => found.get(key) ?? "";
  const number = (key: string) => Number.parseInt(found.get(key) ?? "0", 10) || 0;
  return {
    distribution: text("distribution"),
    release: text("release"),
    codename: text("codename"),
    architecture: text("architecture"),
    memoryMiB: number("memoryMiB"),
    cores: number("cores"),
    systemd: number("systemd"),
    python: text("python"),
    postgres: number("postgres"),
    nginx: text("nginx"),
  };
}

function importRefused(id: string): ProviderError {
  return new ProviderError(
    "FAILED_PRECONDITION",
    `a host cannot be imported (${id}): the way to it is part of the program
  do: leave the option import out; pulumi up looks at the host by itself`,
  );
}
