import type { Connection } from "./connection";

/** Everything one service puts on one host, applied as one transaction. Maps are keyed by what a reader looks for. */
export interface ReleaseInputs {
  connection: Connection;
  /** `system`: root, system units. `user`: the login user's own units and files. */
  scope: "system" | "user";
  /** Name of the release on the host, e.g. `homeserver`; one per service and host. */
  release: string;
  /** Facts that may never change on this host once set, e.g. `{ serverName: "example.org" }`. */
  identity: Record<string, string>;
  /** apt packages; the value is a version to pin, or `any`. */
  packages: Record<string, string>;
  /** apt repositories keyed by a file-name-safe name. */
  repositories: Record<string, AptRepository>;
  /** System users to exist (with a group of the same name). */
  users: Record<string, HostUser>;
  directories: Record<string, Ownership>;
  files: Record<string, HostFile>;
  /** Secret files: made on the host, or given by the operator; never read back. */
  secrets: Record<string, HostSecret>;
  /**
   * Container images that must be there, by full name with tag or digest. One that is missing is pulled, in a step of its
   * own before anything is swapped; one that is there is left as it is. Scope `user` only.
   */
  images: string[];
  /** Podman secrets of the login user by name; made once, or given; never shown. Scope `user` only. */
  containerSecrets: Record<string, ContainerSecret>;
  /** Python virtual environments keyed by directory; a new version is a new directory. */
  environments: Record<string, PythonEnvironment>;
  /** Things only a program can look at or change (a database role, say): `observe` prints a state, `apply` makes it `want`. */
  tasks: Record<string, HostTask>;
  units: Record<string, HostUnit>;
  /**
   * TCP ports that this release opens, `443` (on all addresses) or `127.0.0.1:8008`, and its unit that does. Who else listens
   * there is named before anything is changed, in previews too.
   */
  ports: Record<string, string>;
  /** Programs that know what of theirs serves on the host already, asked before anything is changed, in previews too. */
  preflights: Record<string, Preflight>;
  /** Public facts of other resources that units depend on (a certificate's digest), for `revision:<name>` in a unit's lists. */
  revisions: Record<string, string>;
  /** Real consumers asked about the staged files before the swap, in order of their names. */
  validators: Record<string, Validator>;
  /** What must hold after the swap, and what Read looks at. */
  health: Record<string, HealthProbe>;
  /** Public facts of the host that other resources need, e.g. a public key: see `ReleaseOutputs.published`. */
  publishes: Record<string, PublishedFact>;
  /** For a change that could lock the operator out, e.g. of a firewall. Absent: no confirmation. */
  confirm?: Confirmation;
}

/** Mode is four octal digits as text, e.g. `"0640"`. Owner and group are names. */
export interface Ownership {
  mode: string;
  owner: string;
  group: string;
}

/** A file that a release owns as a whole. */
export interface HostFile extends Ownership {
  /** Text; ends with a newline. Never a secret. */
  content: string;
  /**
   * Placeholders in the text, such as `@AS_TOKEN@`, and the path in `secrets` of the secret that the host writes instead of each.
   * State, diffs and plans contain the text with the placeholders. The file must not be readable by everyone. A secret is written as
   * it is, so its placeholder should be between quotes; one with a quote, a backslash, a line break or a character outside
   * ASCII is refused.
   */
  fills?: Record<string, string>;
}

/** A package source next to the distribution's own. */
export interface AptRepository {
  uris: string;
  suites: string;
  components: string;
  /** ASCII-armoured or binary key as base64, shipped with us and pinned by its fingerprint. */
  keyBase64: string;
  fingerprint: string;
}

/** A system user with a group of the same name; nobody can log in as it. */
export interface HostUser {
  home: string;
  /** Supplementary groups. */
  groups: string[];
}

/**
 * Where a secret comes from.
 * `random`: so many bytes of the kernel's randomness as lower-case hex.
 * `command`: standard output of a program on the host (run when the secret is absent, after packages and environments). A word that
 * is the path of a file of the same release means that file as it was sent: it need not be in its place yet.
 * `given`: the operator's value. Check replaces it by a salted digest, so the value itself never reaches the state.
 */
export type SecretSource =
  | { kind: "random"; bytes: number }
  | { kind: "command"; argv: string[] }
  | { kind: "given"; value: string };

/** A secret file: made once and never overwritten, or given by the operator. */
export interface HostSecret extends Ownership {
  source: SecretSource;
}

/** A secret in the login user's Podman store: made once and never overwritten, or given by the operator. */
export interface ContainerSecret {
  source: SecretSource;
}

/**
 * A virtual environment in its directory; with other requirements it is rebuilt. It holds exactly the wheels that are named: a
 * user without rights installs them, nothing else is fetched and nothing is compiled. Scope `system` only.
 */
export interface PythonEnvironment {
  /** Interpreter that makes it, e.g. `/usr/bin/python3`. */
  python: string;
  /** Every distribution with its version and its wheel's hash: `idna==3.10 --hash=sha256:…`. */
  requirements: string[];
  /** See the distribution's own packages (psycopg2) too. */
  systemSitePackages: boolean;
}

/** What files and units cannot say, as a program that observes and applies. */
export interface HostTask {
  /** Prints one line: the present state. Must not change anything; runs in previews too. */
  observe: string[];
  /** Makes the state `want`; idempotent. */
  apply: string[];
  want: string;
  /** User to run both as. Default root (scope `user`: the user). */
  user?: string;
}

/** A systemd unit and what makes it restart. */
export interface HostUnit {
  /**
   * One that a package or the operator made may be taken over although it is in service; preflights say when not. Absent: it is
   * refused. Of units whose file the release brings, one that is there already is always refused.
   */
  adopt?: boolean;
  enabled: boolean;
  state: "running" | "stopped";
  /**
   * Paths, `revision:<name>`, `task:<name>`, `environment:<path>`, `image:<name>` or `container-secret:<name>`: a change
   * restarts the unit.
   */
  restartOn: string[];
  /** Same; a change reloads it, unless something already restarts it. */
  reloadOn: string[];
  /**
   * Units of other releases on the host that a restart of this one would leave with broken connections: those that run are
   * restarted together with it, as one interruption. systemd's order between them (`After=`) holds.
   */
  along?: string[];
}

/** A look at a host that nothing may have been done to yet. */
export interface Preflight {
  /**
   * A shell program among the release's own files; it is sent along. For each thing that the release would take over or switch
   * off it prints a line: what, a tab, the fix; then it ends with another status than 0.
   */
  program: string;
  arguments: string[];
}

/** A program that says whether the staged files are good: exit status 0, or its last lines are the reason. */
export interface Validator {
  /** Program and arguments; it sees a copy-on-write view of the host in which the staged files are at their final paths. */
  argv: string[];
  user?: string;
  timeoutSeconds: number;
  /** Without network (own network namespace): for dry starts. */
  isolateNetwork?: boolean;
}

/** What must hold within its time after a change; asked once when looking. */
export type HealthProbe =
  | { kind: "http"; url: string; status: number; timeoutSeconds: number }
  | { kind: "command"; argv: string[]; timeoutSeconds: number };

/** One line that a program of the host prints, the same every time. Not a secret. */
export interface PublishedFact {
  /** Must not change anything; runs after each change, and in previews too. At most 20 s. */
  argv: string[];
  /** User to run it as. Default root (scope `user`: the user). */
  user?: string;
}

/**
 * The host keeps a change only if the provider confirms it by a login of its own, not over the connection that is open: otherwise
 * the host rolls it back.
 */
export interface Confirmation {
  /** Seconds that the host waits for the confirmation, 10 to 600. */
  seconds: number;
}

/** What Create, Update and Read return besides the inputs' identity. Holds no file contents and no secrets. */
export interface ReleaseOutputs {
  /** Random id of this release on this host; a Delete with another instance does nothing. */
  instance: string;
  /** Counts applied changes on the host, from 1. */
  generation: number;
  /** Digest of everything desired, known in previews; others may depend on it. */
  digest: string;
  packageVersions: Record<string, string>;
  /** Salted fingerprints of secret files, to see that they are still the same. */
  fingerprints: Record<string, string>;
  /** What `publishes` names, by name; absent when it names nothing. In previews unknown until the release has been applied with it once. */
  published?: Record<string, string>;
  /** Only after a Read that found differences: what was changed by hand. */
  drift?: string[];
}
