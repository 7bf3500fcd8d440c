import type { HostInputs, HostQuestions, KnownDistribution, MachineFacts } from "../contract/host";
import { connectionShape } from "../protocol/connection";
import { compare } from "../protocol/diff";
import { ProviderError } from "../protocol/errors";
import type { Call, Resource } from "../protocol/resource";
import { flag, integer, list, object, parse, record, type Shape, text } from "../protocol/shape";
import {
  hasUnknown,
  isObject,
  type Properties,
  revealAll,
  secret,
  secretPaths,
  toProperties,
  UNKNOWN,
  type Value,
} from "../protocol/values";
import { warnOffline } from "../transport/offline";
import { brokenAnswer, hostSession } from "../transport/session";
import { faultsMessage, memoryFaults, type RootlessFacts, rootlessFaults } from "./host-faults";
import { questionFiles } from "./questions";
import { parseAnswer } from "./release/answer";

const FACTS_SECONDS = 60;

/** What states of earlier versions do not have. */
const NOTHING = {
  rootless: false,
  memory: {},
  distributions: {},
  ask: { packages: [], installed: [], programs: {} },
};

const line = text({ pattern: /./, write: "one line" });
const packageName = text({ pattern: /^[a-z0-9][a-z0-9@._+-]*$/, write: "the name of a package" });

const hostShape = object<HostInputs>({
  connection: connectionShape,
  rootless: absentIs(NOTHING.rootless, flag),
  memory: absentIs(
    NOTHING.memory,
    record(text({ pattern: /./, write: "what uses the memory" }), integer(1, 1_048_576)),
  ),
  distributions: absentIs(
    NOTHING.distributions,
    record(
      text({ pattern: /^[a-z0-9._-]+(:[a-z0-9._-]+)?$/, write: "a distribution, such as debian:13" }),
      object<KnownDistribution>({
        title: line,
        offers: record(packageName, line),
        containers: list(packageName),
        refused: text({ write: "one line" }),
      }),
    ),
  ),
  ask: absentIs(
    NOTHING.ask,
    object<HostQuestions>({
      packages: list(packageName),
      installed: list(packageName),
      programs: record(
        text({ pattern: /^[a-z][a-z0-9-]*$/, write: "a name of lower-case letters" }),
        object({
          content: text({ pattern: /\n$/, multiline: true, write: "a program that ends with a newline" }),
          arguments: list(line),
        }),
      ),
    }),
  ),
});

function absentIs<T>(value: Value, shape: Shape<T>): Shape<T> {
  return { check: (given, path, faults) => shape.check(given ?? value, path, faults) };
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
  // What an earlier version did not ask yet differs, so that it is asked: nothing but the look comes of it. That the program knows
  // another distribution, or more of one, is no news about this host.
  diff: (olds, news) => ({
    details: compare({ ...NOTHING, ...olds, distributions: news.distributions ?? {} }, news, [
      "connection.name",
    ]),
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
    const outputs = await facts(call, wanted);
    // A state of an earlier version was not asked what the program asks by now: its facts hold until an update asks.
    return state.inputs.ask === undefined ? state : { ...state, outputs };
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

async function facts(call: Call, wanted: HostInputs): Promise<Properties> {
  const { connection, rootless, memory } = wanted;
  const answer = await hostSession(connection).run({
    interpreter: "sh",
    program: "machine/programs/facts.sh",
    // What will run without root is looked at without root.
    asRoot: !rootless,
    files: questionFiles(wanted),
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
  const seen = { ...toFacts(found), ...toAnswers(rows, wanted.ask) };
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
    packageManager: found.get("packageManager") === "pacman" ? "pacman" : "apt",
    missing: (found.get("missing") ?? "").split(",").filter((name) => name !== ""),
    subids: number("subids"),
    freeSubids: number("freeSubids"),
    linger: found.get("linger") === "1",
    manager: manager === "running" || manager === "masked" ? manager : "stopped",
    cgroups: number("cgroups"),
    namespaces: found.get("namespaces") === "restricted" ? "restricted" : "free",
  };
}

type Answers = Pick<MachineFacts, "packages" | "installed" | "programs">;

function toFacts(found: Map<string, string>): Omit<MachineFacts, keyof Answers> {
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
    login: { user: text("user"), group: text("group"), uid: number("uid"), home: text("home") },
    podman: text("podman"),
    ipv6: found.get("ipv6") === "1",
  };
}

function toAnswers(rows: string[][], ask: HostQuestions): Answers {
  const of = (kind: string) => rows.filter(([word]) => word === kind).map(([, ...rest]) => rest);
  const answers = (kind: string, asked: string[]): Record<string, string> =>
    Object.fromEntries(
      of(kind).flatMap(([name = "", answer = ""]) => (asked.includes(name) ? [[name, answer]] : [])),
    );
  const installed = new Set(of("installed").map(([name]) => name));
  return {
    packages: answers("package", ask.packages),
    installed: ask.installed.filter((name) => installed.has(name)),
    programs: answers("program", Object.keys(ask.programs)),
  };
}

function importRefused(id: string): ProviderError {
  return new ProviderError(
    "FAILED_PRECONDITION",
    `a host cannot be imported (${id}): the way to it is part of the program
  fix: leave the option import out; pulumi up looks at the host by itself`,
  );
}
