import type {
  AptRepository,
  ContainerSecret,
  HealthProbe,
  HostFile,
  HostSecret,
  HostTask,
  HostUnit,
  HostUser,
  Ownership,
  Preflight,
  PythonEnvironment,
  ReleaseInputs,
  SecretSource,
  Validator,
} from "../../contract/release";
import { connectionShape } from "../../protocol/connection";
import {
  flag,
  integer,
  kinds,
  list,
  object,
  oneOf,
  optional,
  record,
  type Shape,
  text,
} from "../../protocol/shape";
import { kernelAddress } from "./ports";

const line = (write: string, pattern?: RegExp) => text({ write, pattern });

/** The host's own rule: absolute, below a top directory, spelt in one way only. */
export const path = text({
  write:
    "an absolute path below a top directory, such as /etc/example/example.conf, without ., .., //, backslash or a / at its end",
  refuse: (value) =>
    /^\/[^/]+\/./.test(value) && !/\/$|\/\/|\\|(^|\/)\.\.?(\/|$)/.test(value)
      ? undefined
      : "is not such a path",
});

const account = line("the name of a user or group", /^([a-z_][a-z0-9_.-]*\$?|[0-9]+)$/);
/** Whatever a host may report for an owner: names of other directories (`DOMAIN\user`), numbers for accounts that are gone. */
const owner = line("the name of a user or group", /^[^\s:,/-][^\s:,/]*$/);
const word = line("a name of letters, digits, '.', '_' and '-'", /^[A-Za-z0-9][A-Za-z0-9_.-]*$/);
/** Program and arguments; one argument a line on the way to the host. */
const argv = list(text({ write: "one program argument" }), { least: 1 });

/** `644`, `0644` and `0o644` are one mode. */
const mode = text({
  write: 'four octal digits as text, such as "0640"',
  normalise: (value) => value.replace(/^0o/, "").padStart(4, "0"),
  pattern: /^[0-7]{4}$/,
});

const ownership = { mode, owner, group: owner };

const file = object<HostFile>({
  ...ownership,
  content: text({
    write: "text that ends with a newline",
    multiline: true,
    normalise: (value) => (value === "" || value.endsWith("\n") ? value : `${value}\n`),
    refuse: (value) => (value.includes("\0") ? "contains a NUL byte" : undefined),
  }),
});

const repository = object<AptRepository>({
  uris: line("the URI of an apt repository", /^https?:\/\/\S+$/),
  suites: line("suites", /^\S+( \S+)*$/),
  components: line("components", /^\S+( \S+)*$/),
  keyBase64: line("the repository's key as base64", /^[A-Za-z0-9+/]+={0,2}$/),
  fingerprint: text({
    write: "the key's fingerprint, 40 hexadecimal digits",
    normalise: (value) => value.replaceAll(" ", "").toUpperCase(),
    pattern: /^[0-9A-F]{40}$/,
  }),
});

const source = kinds<SecretSource>({
  random: object({ kind: oneOf("random"), bytes: integer(16, 1024) }),
  command: object({ kind: oneOf("command"), argv }),
  given: object({
    kind: oneOf("given"),
    value: text({ write: "the secret's text", multiline: true, sensitive: true, refuse: emptyComplaint }),
  }),
});

const secret = object<HostSecret>({ ...ownership, source });

/** States of earlier versions have none. */
function absentIsEmpty<T>(shape: Shape<T[]>): Shape<T[]> {
  return { check: (value, path, faults) => shape.check(value ?? [], path, faults) };
}

/** Podman takes more; these never need quoting anywhere. */
const image = line(
  "a full image name with its registry and a tag or digest, such as docker.io/library/example:1.0",
  /^[a-z0-9.-]+\.[a-z]+(:\d+)?\/[a-z0-9._/-]+(:[\w.-]+(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$/,
);

function emptyComplaint(value: string): string | undefined {
  return value === "" ? "is empty" : undefined;
}

const environment = object<PythonEnvironment>({
  python: path,
  requirements: list(
    // States of earlier versions have no hashes; rules.ts wants them.
    line(
      "an exact pin with the hash of its wheel, such as name==1.2.3 --hash=sha256:…",
      /^[A-Za-z0-9][\w.-]*(\[[\w,.-]+\])?==[\w.+!-]+( --hash=sha256:[0-9a-f]{64})*$/,
    ),
    { least: 1 },
  ),
  systemSitePackages: flag,
});

const unitName = line(
  "a unit name, such as example.service",
  /^[A-Za-z0-9][\w:.@\\-]*\.(service|socket|timer|path|target|mount|slice)$/,
);

const unit = object<HostUnit>({
  adopt: optional(flag),
  enabled: flag,
  state: oneOf("running", "stopped", "ignored"),
  restartOn: list(line("what restarts the unit"), { sorted: true }),
  reloadOn: list(line("what reloads the unit"), { sorted: true }),
  along: optional(list(unitName, { sorted: true })),
});

/** See {@link kernelAddress}. */
const portAddress = text({
  write: "a port, or an address and a port: 443, 127.0.0.1:8008 or [::1]:8008",
  refuse: (value) => (kernelAddress(value) === undefined ? "is none" : undefined),
});

const probeSeconds = integer(1, 3600);

const probe = kinds<HealthProbe>({
  http: object({
    kind: oneOf("http"),
    url: line("a URL as the host itself reaches it", /^https?:\/\/\S+$/),
    status: integer(100, 599),
    timeoutSeconds: probeSeconds,
  }),
  command: object({ kind: oneOf("command"), argv, timeoutSeconds: probeSeconds }),
});

/** Everything of a Release; absent maps are empty. */
export const releaseShape: Shape<ReleaseInputs> = object<ReleaseInputs>({
  connection: connectionShape,
  scope: oneOf("system", "user"),
  release: line("a name of lower-case letters, digits and -", /^[a-z][a-z0-9-]*$/),
  identity: record(word, line("a fact of one line", /./)),
  packages: record(
    line("the name of an apt package", /^[a-z0-9][a-z0-9+.-]*$/),
    line('a version, or "any"', /^(any|[0-9][A-Za-z0-9.+:~-]*)$/),
  ),
  repositories: record(word, repository),
  users: record(
    account,
    object<HostUser>({
      home: line("an absolute path", /^\/[^:]*$/),
      groups: list(account, { sorted: true }),
    }),
  ),
  directories: record(path, object<Ownership>(ownership)),
  files: record(path, file),
  links: record(path, line("where the link leads", /./)),
  secrets: record(path, secret),
  images: absentIsEmpty(list(image, { sorted: true })),
  containerSecrets: record(word, object<ContainerSecret>({ source })),
  environments: record(path, environment),
  tasks: record(
    word,
    object<HostTask>({
      observe: argv,
      apply: argv,
      want: line("the wanted state", /./),
      user: optional(account),
    }),
  ),
  units: record(unitName, unit),
  ports: record(portAddress, unitName),
  preflights: record(
    word,
    object<Preflight>({ program: path, arguments: list(text({ write: "one program argument" })) }),
  ),
  revisions: record(word, line("a revision of one line", /./)),
  validators: record(
    word,
    object<Validator>({
      argv,
      user: optional(account),
      timeoutSeconds: integer(1, 3600),
      isolateNetwork: optional(flag),
    }),
  ),
  health: record(word, probe),
});
