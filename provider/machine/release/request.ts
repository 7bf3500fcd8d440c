import { createHash } from "node:crypto";
import { hostname, userInfo } from "node:os";
import type { ReleaseInputs } from "../../contract/release";
import type { CallFile } from "../../transport/bootstrap";
import { withoutHeader } from "./header";
import { kernelAddress } from "./ports";
import { containerSecretFiles, givenFiles, secretFiles } from "./secret-files";
import { argvFile, lines, table } from "./tables";

/** One id for all changes of this process, so that they wait for each other on a host instead of refusing. */
const RUN = createHash("sha256")
  .update(`${process.pid} ${Date.now()} ${hostname()}`)
  .digest("hex")
  .slice(0, 16);

/** What a request says besides the inputs. */
export interface RequestMeta {
  urn: string;
  /** Of the state; absent on create. */
  instance?: string;
  /** Id of one transaction. */
  apply?: string;
  /** First log line wanted (result.sh). */
  line?: number;
}

/** `request/meta` alone, for programs that need no more (result, cancel, delete). */
export function metaFile(inputs: Pick<ReleaseInputs, "release" | "scope">, meta: RequestMeta): CallFile {
  return table("meta", [
    ["release", inputs.release],
    ["scope", inputs.scope],
    ["urn", meta.urn],
    ["instance", meta.instance ?? "-"],
    ["operator", `${userInfo().username}@${hostname()}`],
    ["run", RUN],
    ["apply", meta.apply ?? "-"],
    ["line", String(meta.line ?? 1)],
  ]);
}

/** What observe.sh needs: everything but contents. `fingerprints` are those of the state, as outputs hold them. */
export function observeFiles(
  inputs: ReleaseInputs,
  meta: RequestMeta,
  fingerprints: Record<string, string>,
): CallFile[] {
  return [
    metaFile(inputs, meta),
    table("identity", Object.entries(inputs.identity)),
    table("packages", Object.entries(inputs.packages)),
    ...repositoryFiles(inputs),
    table(
      "users",
      Object.entries(inputs.users).map(([name, user]) => [name, user.home, user.groups.join(",") || "-"]),
    ),
    table(
      "directories",
      Object.entries(inputs.directories).map(([path, item]) => [path, item.mode, item.owner, item.group]),
    ),
    table(
      "files",
      contents(inputs).map(({ path, file, content }, index) => [
        String(index),
        path,
        file.mode,
        file.owner,
        file.group,
        sha256(content),
      ]),
    ),
    table("links", Object.entries(inputs.links)),
    ...secretFiles(inputs, fingerprints),
    table(
      "images",
      inputs.images.map((image) => [image]),
    ),
    ...containerSecretFiles(inputs, fingerprints),
    ...environmentFiles(inputs),
    ...taskFiles(inputs),
    ...unitFiles(inputs),
    ...preflightFiles(inputs),
    ...validatorFiles(inputs),
    ...healthFiles(inputs),
  ];
}

/** What apply.sh needs on top: file contents and given secrets. */
export function contentFiles(inputs: ReleaseInputs): CallFile[] {
  const files = contents(inputs).map(({ content }, index) => ({ name: `request/content/${index}`, content }));
  return [
    ...files,
    ...givenFiles("given", "secrets", inputs.secrets),
    ...givenFiles("container-given", "containerSecrets", inputs.containerSecrets),
  ];
}

/** Files as they lie on the host, without the line that Check puts before them. */
function contents(inputs: ReleaseInputs) {
  return Object.entries(inputs.files).map(([path, file]) => ({
    path,
    file,
    content: withoutHeader(path, file.content),
  }));
}

function repositoryFiles(inputs: ReleaseInputs): CallFile[] {
  const entries = Object.entries(inputs.repositories);
  return [
    table(
      "repositories",
      entries.map(([name, item]) => [name, item.uris, item.suites, item.components, item.fingerprint]),
    ),
    ...entries.map(([name, item]) => ({
      name: `request/keys/${name}`,
      content: Buffer.from(item.keyBase64, "base64"),
    })),
  ];
}

function environmentFiles(inputs: ReleaseInputs): CallFile[] {
  const entries = Object.entries(inputs.environments);
  return [
    table(
      "environments",
      entries.map(([path, item], index) => [
        String(index),
        path,
        item.python,
        item.systemSitePackages ? "1" : "0",
      ]),
    ),
    ...entries.map(([, item], index) => ({
      name: `request/requirements/${index}`,
      content: lines(item.requirements),
    })),
  ];
}

function taskFiles(inputs: ReleaseInputs): CallFile[] {
  const entries = Object.entries(inputs.tasks);
  return [
    table(
      "tasks",
      entries.map(([name, task], index) => [String(index), name, task.user ?? "-", task.want]),
    ),
    ...entries.flatMap(([, task], index) => [
      argvFile(`task.${index}.observe`, task.observe),
      argvFile(`task.${index}.apply`, task.apply),
    ]),
  ];
}

function unitFiles(inputs: ReleaseInputs): CallFile[] {
  const entries = Object.entries(inputs.units);
  return [
    table(
      "units",
      entries.map(([name, unit]) => [name, unit.enabled ? "1" : "0", unit.state]),
    ),
    table(
      "triggers",
      entries.flatMap(([name, unit]) => [
        ...unit.restartOn.map((subject) => [name, "restart", subject]),
        ...unit.reloadOn.map((subject) => [name, "reload", subject]),
        ...(unit.along ?? []).map((other) => [name, "along", other]),
      ]),
    ),
    table("revisions", Object.entries(inputs.revisions)),
  ];
}

/** What must not be taken over: asked before anything is changed. */
function preflightFiles(inputs: ReleaseInputs): CallFile[] {
  const adopted = Object.entries(inputs.units).filter(([, unit]) => unit.adopt);
  // While a file is not known yet, its program cannot be asked.
  const preflights = Object.entries(inputs.preflights).flatMap(([name, preflight]) => {
    const file = inputs.files[preflight.program];
    return file === undefined
      ? []
      : [{ name, ...preflight, content: withoutHeader(preflight.program, file.content) }];
  });
  return [
    table(
      "adopted",
      adopted.map(([name]) => [name]),
    ),
    table(
      "ports",
      Object.entries(inputs.ports).flatMap(([shown, unit]) => {
        const found = kernelAddress(shown);
        return found === undefined ? [] : [[shown, found.port, found.address, unit]];
      }),
    ),
    table(
      "preflights",
      preflights.map(({ name }, index) => [String(index), name]),
    ),
    ...preflights.flatMap((preflight, index) => [
      { name: `request/preflight/${index}`, content: preflight.content },
      argvFile(`preflight.${index}`, preflight.arguments),
    ]),
  ];
}

function validatorFiles(inputs: ReleaseInputs): CallFile[] {
  // In order of their names, whatever order the program wrote them in.
  const entries = Object.entries(inputs.validators).sort(([one], [other]) => (one < other ? -1 : 1));
  return [
    table(
      "validators",
      entries.map(([name, item], index) => [
        String(index),
        name,
        item.user ?? "-",
        String(item.timeoutSeconds),
        item.isolateNetwork ? "1" : "0",
      ]),
    ),
    ...entries.map(([, item], index) => argvFile(`validator.${index}`, item.argv)),
  ];
}

function healthFiles(inputs: ReleaseInputs): CallFile[] {
  const entries = Object.entries(inputs.health);
  return [
    table(
      "health",
      entries.map(([name, probe], index) => [
        String(index),
        name,
        probe.kind,
        String(probe.timeoutSeconds),
        probe.kind === "http" ? probe.url : "-",
        probe.kind === "http" ? String(probe.status) : "-",
      ]),
    ),
    ...entries.flatMap(([, probe], index) =>
      probe.kind === "command" ? [argvFile(`health.${index}`, probe.argv)] : [],
    ),
  ];
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
