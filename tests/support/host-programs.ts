import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection } from "../../provider/contract/connection";
import type { HealthProbe, HostSecret, HostUnit, ReleaseInputs } from "../../provider/contract/release";
import { kernelAddress } from "../../provider/machine/release/ports";
import type { CallFile } from "../../provider/transport/bootstrap";
import { hostSession } from "../../provider/transport/session";
import { type Host, onHost } from "../../sandbox";

/** Speaks PROTOCOL.md to a sandbox host, without the provider's own request writer, as an independent check of the protocol. */

/** The fields of a release that a test sets; everything else is empty. */
export type Release = Partial<Omit<ReleaseInputs, "connection" | "scope">>;

/** The `meta` table, without the fields that do not matter to a test. */
export interface Meta {
  release: string;
  scope: string;
  urn: string;
  instance: string;
  operator: string;
  run: string;
  apply: string;
  line: string;
  /** Seconds that started units must stay up. Other tests do not wait for that. */
  steady: string;
}

export interface Answer {
  /** The rows, split at tabs. */
  rows: string[][];
  /** Rows of one kind, without the kind. */
  of(kind: string): string[][];
  /** The last row, joined by a space: `end ok`. */
  end: string;
  /** Duration in milliseconds. */
  took: number;
}

export type Program = "facts" | "observe" | "apply" | "result" | "cancel" | "delete";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The digest that replaces a given secret, as written by Check. */
export const sealed = (value: string): string => `v1:5a17:${sha256(`5a17${value}`)}`;

/** The sandbox's user without rights, who runs releases of scope `user`. */
export const LOGIN = "debian";

function connectionTo(host: Host, user?: string): Connection {
  return {
    name: host.name,
    transport: "ssh",
    address: host.name,
    sshConfigFile: host.sshConfigFile,
    become: "none",
    ...(user === undefined ? {} : { user }),
  };
}

let applies = 0;

/** An apply id that no other test run has used. */
export const newApply = (): string => `t${process.pid}-${Date.now()}-${applies++}`;

/**
 * Runs one program on the host, by default as the user of its scope. `programs`: another folder of programs
 * (see {@link patchedPrograms}).
 */
export async function call(
  host: Host,
  program: Program,
  release: Release = {},
  meta: Partial<Meta> = {},
  options: { programs?: string; signal?: AbortSignal; onLine?: (line: string) => void; user?: string } = {},
): Promise<Answer> {
  const started = Date.now();
  const before = process.env.HEARTH_PROVIDER_DIR;
  if (options.programs) process.env.HEARTH_PROVIDER_DIR = options.programs;
  const asRoot = meta.scope !== "user";
  const running = hostSession(connectionTo(host, options.user ?? (asRoot ? undefined : LOGIN))).run({
    interpreter: "sh",
    program: `machine/programs/${program}.sh`,
    asRoot,
    files: requestOf(release, meta, program === "apply"),
    signal: options.signal ?? new AbortController().signal,
    // The first call downloads and builds.
    timeoutSeconds: 900,
    onLine: options.onLine,
  });
  try {
    const { stdout, stderr, status } = await running;
    if (status !== 0) throw new Error(`${program}.sh ended with ${status}: ${stderr}\n${stdout}`);
    const rows = stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => line.split("\t"));
    return {
      rows,
      of: (kind) => rows.filter(([first]) => first === kind).map((row) => row.slice(1)),
      end: (rows.at(-1) ?? []).join(" "),
      took: Date.now() - started,
    };
  } finally {
    if (options.programs) {
      if (before === undefined) delete process.env.HEARTH_PROVIDER_DIR;
      else process.env.HEARTH_PROVIDER_DIR = before;
    }
  }
}

/** The answer if it succeeded; otherwise throws an error with the whole output. */
export function ok(answer: Answer): Answer {
  if (answer.end === "end ok") return answer;
  const said = answer.rows.map(([kind, ...rest]) =>
    kind === "output" ? Buffer.from(rest[0] ?? "", "base64").toString() : [kind, ...rest].join(" "),
  );
  throw new Error(`did not succeed:\n${said.join("\n")}`);
}

/** Standard output of a command on the host; throws if it fails. */
export async function sh(host: Host, command: string): Promise<string> {
  const { code, stdout, stderr } = await onHost(host, [command]);
  if (code !== 0) throw new Error(`${command}: exit ${code}: ${stderr}${stdout}`);
  return stdout.trimEnd();
}

/** Copies the programs that run on hosts to a folder that replaces `provider/`. */
export function copyPrograms(folder: string): void {
  for (const part of ["transport", "machine", "matrix"]) {
    const programs = join(part, "programs");
    cpSync(join(__dirname, "../../provider", programs), join(folder, programs), { recursive: true });
  }
}

/**
 * A copy of the host programs with `line` inserted after the line that begins with `after` in `file`, to cut a transaction
 * at an exact step. Pass its path as `programs`.
 */
export function patchedPrograms(file: string, after: string, line: string): string {
  const folder = mkdtempSync(join(tmpdir(), "hearth-host-"));
  copyPrograms(folder);
  const path = join(folder, "machine/programs", file);
  const lines = readFileSync(path, "utf8").split("\n");
  const at = lines.findIndex((text) => text.trimStart().startsWith(after));
  if (at < 0) throw new Error(`${file} has no line that begins with ${after}`);
  lines.splice(at + 1, 0, line);
  writeFileSync(path, lines.join("\n"));
  return folder;
}

export const removePrograms = (folder: string): void => rmSync(folder, { recursive: true });

/** The request of a call, as files below its directory. */
export function requestOf(release: Release, meta: Partial<Meta>, withContent: boolean): CallFile[] {
  const request = new Map<string, string | Buffer>();
  const table = (name: string, rows: (string | number)[][]) =>
    request.set(name, rows.map((row) => `${row.join("\t")}\n`).join(""));
  const argv = (name: string, words: string[]) =>
    request.set(`argv/${name}`, words.map((word) => `${word}\n`).join(""));
  table("meta", Object.entries({ ...defaultMeta(release), ...meta }));
  table("identity", Object.entries(release.identity ?? {}));
  table("revisions", Object.entries(release.revisions ?? {}));
  table("packages", Object.entries(release.packages ?? {}));
  table(
    "repositories",
    map(release.repositories, (name, item) => {
      request.set(`keys/${name}`, Buffer.from(item.keyBase64, "base64"));
      return [name, item.uris, item.suites, item.components, item.fingerprint];
    }),
  );
  table(
    "users",
    map(release.users, (name, user) => [name, user.home, user.groups.join(",") || "-"]),
  );
  table(
    "directories",
    map(release.directories, (path, at) => [path, at.mode, at.owner, at.group]),
  );
  table(
    "files",
    map(release.files, (path, file, index) => {
      if (withContent) request.set(`content/${index}`, file.content);
      return [index, path, file.mode, file.owner, file.group, sha256(file.content)];
    }),
  );
  table(
    "secrets",
    map(release.secrets, (path, secret, index) => {
      const { source } = secret;
      if (source.kind === "given" && withContent) request.set(`given/${index}`, source.value);
      if (source.kind === "command") argv(`secret.${index}`, source.argv);
      return [index, path, secret.mode, secret.owner, secret.group, source.kind, detail(source), "-"];
    }),
  );
  table(
    "images",
    (release.images ?? []).map((image) => [image]),
  );
  table(
    "container-secrets",
    map(release.containerSecrets, (name, { source }, index) => {
      if (source.kind === "given" && withContent) request.set(`container-given/${index}`, source.value);
      if (source.kind === "command") argv(`container-secret.${index}`, source.argv);
      return [index, name, source.kind, detail(source), "-"];
    }),
  );
  table(
    "environments",
    map(release.environments, (path, item, index) => {
      request.set(`requirements/${index}`, `${item.requirements.join("\n")}\n`);
      return [index, path, item.python, item.systemSitePackages ? 1 : 0];
    }),
  );
  table(
    "tasks",
    map(release.tasks, (name, task, index) => {
      argv(`task.${index}.observe`, task.observe);
      argv(`task.${index}.apply`, task.apply);
      return [index, name, task.user ?? "-", task.want];
    }),
  );
  table(
    "publishes",
    map(release.publishes, (name, fact, index) => {
      argv(`publish.${index}`, fact.argv);
      return [index, name, fact.user ?? "-"];
    }),
  );
  table(
    "units",
    map(release.units, (name, unit) => [name, unit.enabled ? 1 : 0, unit.state]),
  );
  table(
    "adopted",
    map(release.units, (name, unit) => (unit.adopt ? [name] : [])).filter((row) => row.length > 0),
  );
  table(
    "ports",
    map(release.ports, (shown, unit) => {
      const at = kernelAddress(shown);
      return [shown, at?.port ?? "", at?.address ?? "", unit];
    }),
  );
  table(
    "preflights",
    map(release.preflights, (name, preflight, index) => {
      request.set(`preflight/${index}`, release.files?.[preflight.program]?.content ?? "");
      argv(`preflight.${index}`, preflight.arguments);
      return [index, name];
    }),
  );
  table("triggers", map(release.units, (name, unit) => triggers(name, unit)).flat());
  table(
    "validators",
    map(release.validators, (name, item, index) => {
      argv(`validator.${index}`, item.argv);
      return [index, name, item.user ?? "-", item.timeoutSeconds, item.isolateNetwork ? 1 : 0];
    }),
  );
  table(
    "health",
    map(release.health, (name, probe, index) => {
      if (probe.kind === "command") argv(`health.${index}`, probe.argv);
      return [index, name, probe.kind, probe.timeoutSeconds, ...asked(probe)];
    }),
  );
  return [...request].map(([name, content]) => ({ name: `request/${name}`, content }));
}

function defaultMeta(release: Release): Meta {
  const name = release.release ?? "probe";
  return {
    release: name,
    scope: "system",
    urn: `urn:pulumi:test::${name}`,
    instance: "-",
    operator: "tester@here",
    run: "run",
    apply: newApply(),
    line: "1",
    steady: "0",
  };
}

function map<T, R>(
  items: Record<string, T> | undefined,
  row: (key: string, item: T, index: number) => R,
): R[] {
  return Object.entries(items ?? {}).map(([key, item], index) => row(key, item, index));
}

function detail(source: HostSecret["source"]): string | number {
  if (source.kind === "random") return source.bytes;
  return source.kind === "given" ? sealed(source.value) : "-";
}

function triggers(name: string, unit: HostUnit): string[][] {
  return [
    ...unit.restartOn.map((subject) => [name, "restart", subject]),
    ...unit.reloadOn.map((subject) => [name, "reload", subject]),
    ...(unit.along ?? []).map((other) => [name, "along", other]),
  ];
}

function asked(probe: HealthProbe): (string | number)[] {
  return probe.kind === "http" ? [probe.url, probe.status] : ["-", "-"];
}

/** Holds an apply at its validation until {@link letGo}. */
export const HELD = {
  argv: ["/bin/sh", "-c", "until test -e /run/let-go; do sleep 0.1; done"],
  timeoutSeconds: 120,
};
export const letGo = (host: Host) => sh(host, "touch /run/let-go");
export const hold = (host: Host) => sh(host, "rm -f /run/let-go");

/** Starts an apply and returns when it reports `step`; `ended` is its answer. */
export async function untilStep(
  step: string,
  start: (options: { onLine: (line: string) => void }) => Promise<Answer>,
): Promise<{ ended: Promise<Answer> }> {
  let reached = (): void => undefined;
  const arrived = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const ended = start({
    onLine: (line) => {
      if (line.startsWith("step") && line.includes(step)) reached();
    },
  });
  await Promise.race([arrived, ended]);
  return { ended };
}
