import { type HostFacts, type HostInputs, ROOTLESS_PACKAGES } from "../contract/host";
import { connectionShape } from "../protocol/connection";
import { compare } from "../protocol/diff";
import { ProviderError } from "../protocol/errors";
import type { Call, Resource } from "../protocol/resource";
import { flag, integer, object, parse, record, type Shape, text } from "../protocol/shape";
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
import { warnOffline } from "../transport/offline";
import { brokenAnswer, hostSession } from "../transport/session";
import { faultsMessage, memoryFaults, type RootlessFacts, rootlessFaults } from "./host-faults";
import { parseAnswer } from "./release/answer";

const FACTS_SECONDS = 60;

const hostShape = object<HostInputs>({
  connection: connectionShape,
  rootless: absentIsFalse(flag),
  memory: record(text({ pattern: /./, write: "what uses the memory" }), integer(1, 1_048_576)),
});

/** States of earlier versions have none. */
function absentIsFalse(shape: Shape<boolean>): Shape<boolean> {
  return { check: (value, path, faults) => shape.check(value ?? false, path, faults) };
}

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
  // States of earlier versions do not say that nothing is to run without root.
  diff: (olds, news) => ({
    details: compare({ rootless: false, memory: {}, ...olds }, news, ["connection.name"]),
  }),
  async create(call, inputs) {
    if (hasUnknown(inputs)) return { id: "", outputs: { facts: UNKNOWN } };
    const wanted = parseInputs(inputs);
    const { connection } = wanted;
    if (call.preview && call.offline) {
      await warnOffline(call, connection.name);
      return { id: "", outputs: { facts: UNKNOWN } };
    }
    return { id: connection.name, outputs: await facts(call, wanted) };
  },
  async read(call, state) {
    if (Object.keys(state.inputs).length === 0) throw importRefused(state.id);
    const wanted = parseInputs(state.inputs);
    if (call.offline) {
      await warnOffline(call, wanted.connection.name);
      return state;
    }
    return { ...state, outputs: await facts(call, wanted) };
  },
  async update(call, state, news) {
    if (hasUnknown(news) || (call.preview && call.offline)) return state.outputs;
    return facts(call, parseInputs(news));
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

async function facts(call: Call, { connection, rootless, memory }: HostInputs): Promise<Properties> {
  const answer = await hostSession(connection).run({
    interpreter: "sh",
    program: "machine/programs/facts.sh",
    // What will run without root is looked at without root.
    asRoot: !rootless,
    files: rootless
      ? [{ name: "request/rootless", content: ROOTLESS_PACKAGES.map((name) => `${name}\n`).join("") }]
      : [],
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
  const seen = toFacts(found);
  const faults = [
    ...(rootless ? rootlessFaults(connection, seen, toRootlessFacts(found)) : []),
    ...memoryFaults(memory, seen.memoryMiB),
  ];
  if (faults.length > 0) throw new ProviderError("FAILED_PRECONDITION", faultsMessage(connection, faults));
  return { facts: toProperties(seen) };
}

function toRootlessFacts(found: Map<string, string>): RootlessFacts {
  const number = (key: string) => Number.parseInt(found.get(key) ?? "0", 10) || 0;
  const manager = found.get("manager");
  return {
    missing: (found.get("missing") ?? "").split(",").filter((name) => name !== ""),
    subids: number("subids"),
    freeSubids: number("freeSubids"),
    linger: found.get("linger") === "1",
    manager: manager === "running" || manager === "masked" ? manager : "stopped",
    cgroups: number("cgroups"),
  };
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
    ...clusterOf(text("postgresCluster"), number("postgresPort"), text("postgresSocket")),
    nginx: text("nginx"),
    login: { user: text("user"), group: text("group"), uid: number("uid"), home: text("home") },
    podman: text("podman"),
    ipv6: found.get("ipv6") === "1",
    tailscale: tailscaleOf(text("tailscale")),
  };
}

function clusterOf(name: string, port: number, socket: string): Pick<HostFacts, "postgresCluster"> {
  return name === "" ? {} : { postgresCluster: { name, port, socket: socket === "-" ? "" : socket } };
}

function tailscaleOf(found: string): HostFacts["tailscale"] {
  return found === "package" || found === "other" ? found : "";
}

function importRefused(id: string): ProviderError {
  return new ProviderError(
    "FAILED_PRECONDITION",
    `a host cannot be imported (${id}): the way to it is part of the program
  do: leave the option import out; pulumi up looks at the host by itself`,
  );
}
