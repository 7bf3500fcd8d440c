import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import * as zod from "zod";
import { confirmationsOf } from "../../config-schemas/confirmations";
import { confirm } from "../../config-schemas/confirmed";
import type { HostFacts } from "../../provider/contract/host";
import type { ReleaseInputs } from "../../provider/contract/release";
import { type FixtureStack, fixtureStacks, parsedFixture } from "../fixtures/stacks";

/** Facts of the two distributions, as the Host resource would report them. */
export const DEBIAN_13: HostFacts = {
  distribution: "debian",
  release: "13",
  codename: "trixie",
  architecture: "amd64",
  memoryMiB: 3904,
  cores: 2,
  systemd: 257,
  python: "3.13",
  postgres: 17,
  nginx: "1.26.3",
  login: { user: "root", group: "root", uid: 0, home: "/root" },
  podman: "5.4.2",
  tailscale: "",
  ipv6: true,
};
/** Who logs in where containers are rootless. */
const ALICE = { user: "alice", group: "alice", uid: 1000, home: "/home/alice" };
export const DEBIAN_12: HostFacts = {
  ...DEBIAN_13,
  release: "12",
  codename: "bookworm",
  systemd: 252,
  python: "3.11",
  postgres: 15,
  nginx: "1.22.1",
};

/** One resource that the program registered. */
export interface Registered {
  type: string;
  name: string;
  /** As sent to the engine: each secret value is wrapped in the engine's own marker. */
  inputs: Record<string, unknown>;
  /** Names of the resources that it waits for. */
  dependsOn: string[];
  /** Name of its parent. */
  parent: string;
}

/** What the program did. */
export interface ProgramRun {
  resources: Registered[];
  outputs: Record<string, unknown>;
  warnings: string[];
  /** Any of these fails the run. */
  errors: string[];
}

const SECRET_MARK = "4dabf18193072939515e22adb298388d";

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The same value with the engine's secret wrappers replaced by what `secret` makes of their content. */
export function unwrap(
  value: unknown,
  secret: (content: unknown) => unknown = (content) => content,
): unknown {
  if (Array.isArray(value)) return value.map((item) => unwrap(item, secret));
  if (!isObject(value)) return value;
  if (SECRET_MARK in value) return unwrap(secret(value.value), secret);
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, unwrap(child, secret)]));
}

const CONFIRMED = "trusted.json";

/** A directory with the files that a stack names, the certificate covering its names. */
function makeProject(stack: FixtureStack): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "hearth-program-")));
  const { config } = parsedFixture(stack);
  const names = [config.homeserver.serverName, config.homeserver.publicHost];
  const files = Object.values(config.hosts).flatMap((host) => [
    host.sshConfigFile,
    host.identityFile,
    host.knownHostsFile,
  ]);
  for (const file of files) if (file !== undefined) writeFileSync(join(folder, file), "");
  const { caFile } = config.verification;
  if (caFile !== undefined) issue(["authority"], join(folder, caFile), join(folder, "authority.key"));
  const { secrets } = parsedFixture(stack);
  // The operator's word for what the stack does, as `npx hearth trust` takes it.
  confirm(join(folder, CONFIRMED), stack.name, confirmationsOf(config, secrets, folder));
  // An empty public key: only a host can check the fingerprint.
  mkdirSync(join(folder, "keys"));
  writeFileSync(join(folder, "keys", "matrix-org-archive-keyring.gpg"), Buffer.from([0x98, 0]));
  if (config.certificates !== undefined) {
    const { certificateFile, privateKeyFile } = config.certificates;
    for (const file of [certificateFile, privateKeyFile])
      mkdirSync(join(folder, dirname(file)), { recursive: true });
    issue(names, join(folder, certificateFile), join(folder, privateKeyFile));
  }
  return folder;
}

function issue(names: readonly string[], certificateFile: string, keyFile: string): void {
  const alternative = [...new Set(names)].map((name) => `DNS:${name}`).join(",");
  const options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "60"];
  const subject = ["-subj", "/CN=test", "-addext", `subjectAltName=${alternative}`];
  execFileSync(
    "openssl",
    ["req", "-x509", ...options, ...subject, "-keyout", keyFile, "-out", certificateFile],
    {
      stdio: "ignore",
    },
  );
}

function configOf(stack: FixtureStack): Record<string, string> {
  return Object.fromEntries(
    Object.entries(stack.raw).map(([key, value]) => [`hearth:${key}`, JSON.stringify(value)]),
  );
}

/** The name at the end of a URN. */
function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? "";
}

/** Outputs of our resources, as the provider would answer. */
function answer(
  type: string,
  name: string,
  inputs: Record<string, unknown>,
  facts: HostFacts,
): Record<string, unknown> {
  if (type.endsWith(":Host")) return { facts: inputs.rootless === true ? { ...facts, login: ALICE } : facts };
  if (type.endsWith(":Release")) return { instance: `i-${name}`, digest: `digest-of-${name}` };
  if (type.endsWith(":Account")) return { userId: `@${name}` };
  if (/:(Space|Room)$/.test(type)) return { roomId: `!${name}`, inviteLink: `link-to-${name}` };
  return { results: [] };
}

/**
 * Runs index.ts for one stack against a recording engine. Each run loads the program and the SDK anew, as a real run does.
 * @param facts what every host of the stack is like
 */
export async function runProgram(stack: FixtureStack, facts: HostFacts = DEBIAN_13): Promise<ProgramRun> {
  const folder = makeProject(stack);
  const before = process.cwd();
  process.chdir(folder);
  process.env.HEARTH_TRUSTED = join(folder, CONFIRMED);
  process.env.PULUMI_CONFIG_SECRET_KEYS = JSON.stringify(["hearth:secrets"]);
  try {
    jest.resetModules();
    // Our own modules run anew; those of others are large, and keep nothing of a run that the next does not replace.
    jest.doMock("@pulumi/pulumi", () => pulumi);
    jest.doMock("zod", () => zod);
    return await record(stack, facts);
  } finally {
    process.chdir(before);
    delete process.env.HEARTH_TRUSTED;
    rmSync(folder, { recursive: true });
  }
}

async function record(stack: FixtureStack, facts: HostFacts): Promise<ProgramRun> {
  const run: ProgramRun = { resources: [], outputs: {}, warnings: [], errors: [] };
  const log = [
    jest.spyOn(pulumi.log, "warn").mockImplementation(async (message) => void run.warnings.push(message)),
    jest.spyOn(pulumi.log, "error").mockImplementation(async (message) => void run.errors.push(message)),
  ];
  const recorder = recordInto(run);
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
  pulumi.runtime.setAllConfig(configOf(stack), ["hearth:secrets"]);
  try {
    run.outputs = await resolved(require("../../index"));
    await pulumi.runtime.disconnect();
  } finally {
    for (const spy of [...log, recorder]) spy.mockRestore();
  }
  return run;
}

/** Writes down every registration. Not what the mocks get: they see a whole object as secret when one of its leaves is. */
function recordInto(run: ProgramRun) {
  const register = MockMonitor.prototype.registerResource;
  return jest.spyOn(MockMonitor.prototype, "registerResource").mockImplementation(function (
    this: MockMonitor,
    req,
    callback,
  ) {
    run.resources.push({
      type: req.getType(),
      name: req.getName(),
      inputs: req.getObject()?.toJavaScript() ?? {},
      dependsOn: req.getDependenciesList().map(nameOf).sort(),
      parent: nameOf(req.getParent()),
    });
    return register.call(this, req, callback);
  });
}

function resolved(exported: Record<string, unknown>): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    pulumi.output({ ...exported }).apply((values) => resolve(values));
  });
}

/** What each Release of a run wants, by its name on the host, secrets in clear. */
export function releasesOf(run: ProgramRun): Record<string, ReleaseInputs> {
  const releases = run.resources.filter(({ type }) => type.endsWith(":Release"));
  return Object.fromEntries(
    releases.map(({ inputs }) => {
      const plain = unwrap(inputs);
      assertRelease(plain);
      return [plain.release, plain];
    }),
  );
}

function assertRelease(value: unknown): asserts value is ReleaseInputs {
  if (!isObject(value) || typeof value.release !== "string")
    throw new Error("these are not a Release's inputs");
}

/** The fixture stack of that name. */
export function fixture(name: string): FixtureStack {
  const found = fixtureStacks().find((stack) => stack.name === name);
  if (found === undefined) throw new Error(`there is no fixture stack ${name}`);
  return found;
}

/** A fixture with some keys changed: `{ "homeserver.media.maxUploadSize": "10M" }`. */
export function changed(stack: FixtureStack, changes: Record<string, unknown>): FixtureStack {
  const raw = structuredClone(stack.raw) as Record<string, unknown>;
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split(".");
    const last = keys.pop() ?? path;
    let place: Record<string, unknown> = raw;
    for (const key of keys) {
      const next = isObject(place[key]) ? place[key] : {};
      place[key] = next;
      place = next;
    }
    place[last] = value;
  }
  return { ...stack, raw };
}
