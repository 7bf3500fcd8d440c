import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as yaml from "yaml";
import * as zod from "zod";
import type { HostFacts } from "../../components/hosts/facts";
import { confirmationsOf } from "../../config-schemas/trust/confirmations";
import { confirm } from "../../config-schemas/trust/confirmed";
import { isObject, type ProgramRun, record, unwrap } from "../../plan/record";
import type { ReleaseInputs } from "../../provider/contract/release";
import { type FixtureStack, fixtureStack, parsedFixture } from "../fixtures/stacks";

export { type ProgramRun, type Registered, unwrap } from "../../plan/record";

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
  sshPorts: [22],
};
export const DEBIAN_12: HostFacts = {
  ...DEBIAN_13,
  release: "12",
  codename: "bookworm",
  systemd: 252,
  podman: "4.3.1",
  python: "3.11",
  postgres: 15,
  nginx: "1.22.1",
};

const CONFIRMED = "trusted.json";

/** A directory with the files that a stack names; the certificate covers its names. */
function makeProject(stack: FixtureStack): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "hearth-program-")));
  const { config, secrets } = parsedFixture(stack);
  const names = [config.homeserver.serverName, config.homeserver.publicHost];
  const files = Object.values(config.hosts).flatMap((host) => [
    host.sshConfigFile,
    host.identityFile,
    host.knownHostsFile,
  ]);
  for (const file of files) if (file !== undefined) writeFileSync(join(folder, file), "");
  const authorities = [config.verification, config.certificates].map((section) =>
    section !== undefined && "caFile" in section ? section.caFile : undefined,
  );
  // A test on a host names a real one.
  for (const file of authorities)
    if (file !== undefined && !isAbsolute(file))
      issue(["authority"], join(folder, file), join(folder, "authority.key"));
  // The operator's confirmation, as in `npx hearth trust`.
  confirm(join(folder, CONFIRMED), stack.name, confirmationsOf(config, secrets, folder));
  // An empty public key: only a host can check the fingerprint.
  mkdirSync(join(folder, "keys"));
  writeFileSync(join(folder, "keys", "matrix-org-archive-keyring.gpg"), Buffer.from([0x98, 0]));
  if (config.certificates?.source === "files") {
    const { certificateFile, privateKeyFile } = config.certificates;
    for (const file of [certificateFile, privateKeyFile])
      mkdirSync(join(folder, dirname(file)), { recursive: true });
    issue(names, join(folder, certificateFile), join(folder, privateKeyFile));
  }
  return folder;
}

/** Certificate and key by their names: an input of the program, which need not differ between runs. */
const issued = new Map<string, readonly [certificate: string, key: string]>();

function issue(names: readonly string[], certificateFile: string, keyFile: string): void {
  const alternative = [...new Set(names)].map((name) => `DNS:${name}`).join(",");
  const known = issued.get(alternative);
  if (known !== undefined) {
    writeFileSync(certificateFile, known[0]);
    writeFileSync(keyFile, known[1], { mode: 0o600 });
    return;
  }
  const options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "60"];
  const subject = ["-subj", "/CN=test", "-addext", `subjectAltName=${alternative}`];
  execFileSync(
    "openssl",
    ["req", "-x509", ...options, ...subject, "-keyout", keyFile, "-out", certificateFile],
    {
      stdio: "ignore",
    },
  );
  issued.set(alternative, [readFileSync(certificateFile, "utf8"), readFileSync(keyFile, "utf8")]);
}

/**
 * Runs index.ts for one stack against a recording engine. Each run loads the program and the SDK again, like a real run.
 * @param facts facts of every host of the stack
 */
export async function runProgram(stack: FixtureStack, facts: HostFacts = DEBIAN_13): Promise<ProgramRun> {
  const folder = makeProject(stack);
  const before = process.cwd();
  process.chdir(folder);
  process.env.HEARTH_TRUSTED = join(folder, CONFIRMED);
  process.env.PULUMI_CONFIG_SECRET_KEYS = JSON.stringify(["hearth:secrets"]);
  try {
    jest.resetModules();
    // Our own modules are loaded again; other modules are large, and the next run replaces all their state.
    jest.doMock("@pulumi/pulumi", () => pulumi);
    jest.doMock("yaml", () => yaml);
    jest.doMock("zod", () => zod);
    return await record(stack, facts, () => require("../../index"));
  } finally {
    process.chdir(before);
    delete process.env.HEARTH_TRUSTED;
    rmSync(folder, { recursive: true });
  }
}

/** The inputs of each Release of a run, by its name on the host, with secrets in clear text. */
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
  return fixtureStack(name);
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
