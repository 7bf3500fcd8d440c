import type {
  AptRepository,
  HealthProbe,
  HostSecret,
  HostTask,
  HostUser,
  Inputs,
  Ownership,
  Preflight,
  PublishedFact,
  PythonEnvironment,
  Validator,
} from "../provider/sdk";
import type { Container, Mount, Timer } from "./container";
import type { Layout } from "./layout";
import type { Listener } from "./listener";

/**
 * Describes one service, independent of the runtime. A runtime renders it as a Release: folders, files, secrets, units, checks.
 * Absent keys are empty.
 */
export interface ServiceSpec {
  /** Folders on the host have this name, e.g. `homeserver`. */
  name: string;
  /** Title of its unit, for people. */
  description: string;
  /** How it can run, by runtime. A runtime without a key here cannot run it; only the host's runtime calls its function. */
  programs: { native?: () => NativeProgram; quadlet?: () => ContainerProgram };
  /** Files that it reads, in its configuration folder. */
  files?: readonly ServiceFile[];
  /** By role, e.g. `macaroon`. */
  secrets?: Readonly<Record<string, ServiceSecret>>;
  /** Programs in `components/<name>/programs/` that the service itself runs: a change to one of them restarts it. */
  runs?: readonly string[];
  /** More files in its program folder, by name. */
  programFiles?: Readonly<Record<string, string>>;
  /** Addresses and ports where others reach it, in addition to its sockets. */
  listens?: readonly Listener[];
  /** Public facts of other resources (`revision:<name>`): a change to one of them restarts or reloads the service. */
  follows?: { restart?: readonly string[]; reload?: readonly string[] };
  /** Checks in which the service's program itself reads the staged files, in the order of their names. */
  checks?: Readonly<Record<string, ServiceCheck>>;
  /** What must be true after a change; absent: its unit must run. */
  health?(at: Layout): HealthProbe;
  /** A timer starts it; absent: it always runs. */
  schedule?: Schedule;
}

/** When a timer starts a service. */
export interface Schedule extends Pick<Timer, "when" | "randomDelaySeconds"> {
  /** Whether a change to the service restarts its timer. Its time after boot has passed then, so the service runs immediately. */
  onChange?: boolean;
}

/** A configuration file of a service. Everybody may read it, so it never contains a secret. */
export interface ServiceFile {
  /** E.g. `homeserver.yaml`. */
  name: string;
  /** What the service needs to read a change. */
  change: "restart" | "reload";
  text(at: Layout): string;
}

/** A secret of a service: generated once on the host, or given by the operator. Hearth never reads it back. */
export interface ServiceSecret {
  /** Its path below the configuration folder if it is a file, e.g. `secrets/signing.key`. */
  file: string;
  /** Name of its file in a container. Default: the name of the Podman secret. */
  inside?: string;
  source(at: Layout): Inputs<HostSecret>["source"];
  /** `service`: the service reads the secret, and a changed secret restarts it. `host`: only programs on the host read it. */
  reader: "service" | "host";
  /** Mode and owner if it is a file. Default: `0600`, owned by root. */
  access?: Ownership;
}

/** A command that runs the service's own program: exit status 0, or its last lines say what is wrong. */
export interface ServiceCheck {
  argv(at: Layout): readonly string[];
  /** Without the time that a container needs to start. */
  timeoutSeconds: number;
  /** Whether the command runs without network. */
  isolateNetwork?: boolean;
  /** `config`: the command sees the configuration only, no secrets and no data. */
  sees?: "config";
}

/** What both kinds of program can have. */
interface Extras {
  /** Units of other releases that would lose their connections: they restart together with this service. */
  along?: readonly string[];
  /** More configuration files. */
  files?: readonly ServiceFile[];
  secrets?: Readonly<Record<string, ServiceSecret>>;
  tasks?(at: Layout): Readonly<Record<string, HostTask>>;
  checks?: Readonly<Record<string, ServiceCheck>>;
  /** What must be true after a change, if the spec itself has no `health`. */
  answers?(at: Layout): HealthProbe;
  /** Checks that a program on the host runs, and what this program may do. */
  validators?(at: Layout): Readonly<Record<string, Validator>>;
}

/** A program from packages, as a systemd unit. */
export interface NativeProgram extends Extras {
  /** Full name of the unit; with a schedule, a timer of the same name starts it. */
  unit: string;
  /** Whether a package created the unit: Hearth takes it over while it runs, unless a preflight objects. */
  adopt?: boolean;
  /** Unit files and drop-ins by path. */
  unitFiles?(at: Layout): Readonly<Record<string, string>>;
  /** More subjects whose change restarts it. */
  restartOn?: readonly string[];
  packages?: Readonly<Record<string, string>>;
  repositories?: Readonly<Record<string, AptRepository>>;
  environments?: Readonly<Record<string, PythonEnvironment>>;
  users?: Readonly<Record<string, HostUser>>;
  /** TCP ports that it opens on all addresses. */
  opens?: readonly string[];
  /** More folders by path. */
  directories?: Readonly<Record<string, Ownership>>;
  preflights?(at: Layout): Readonly<Record<string, Preflight>>;
  /** Programs that print public facts about it. */
  publishes?(at: Layout): Readonly<Record<string, PublishedFact>>;
  /** The user that runs its checks. Default: root. */
  user?: string;
  /** Path of its own interpreter. */
  interpreter?: string;
  /** Paths of data by name; the key "" is the folder that contains all data. */
  data?: Readonly<Record<string, string>>;
  /** Paths that a package requires for our files instead of our folder: file name (of a secret: its `file`) to path. */
  elsewhere?: Readonly<Record<string, string>>;
}

type ContainerParts = Pick<
  Container,
  | "image"
  | "uid"
  | "gid"
  | "entrypoint"
  | "network"
  | "boundingCapabilities"
  | "health"
  | "memoryMiB"
  | "pids"
  | "startSeconds"
  | "stopSeconds"
  | "reload"
>;

/** A program from a container image. */
export interface ContainerProgram extends Extras, ContainerParts {
  /** Name of the container and of its unit, e.g. `hearth-synapse`. */
  container: string;
  command?(at: Layout): readonly string[];
  environment?: Readonly<Record<string, string>>;
  /** Paths inside the container where the service's own folders are mounted. */
  inside: { config?: string; programs?: string; data?: string };
  /** Data folders below the service's data folder (the name ""): name to mode. Hearth never removes them. */
  data?: Readonly<Record<string, string>>;
  mounts(at: Layout): readonly Mount[];
  /** Secrets from another service's release: name of the file to name of the Podman secret. */
  borrowed?: Readonly<Record<string, string>>;
  /** Port inside the container that is published as `listens`; absent: no port is published. */
  port?: number;
  /** Listeners that systemd opens for it on the host's addresses. */
  sockets?: readonly Listener[];
  /** Podman volumes that its release creates. */
  volumes?: readonly string[];
  /** Whether its release creates the network of all containers. */
  bringsNetwork?: boolean;
  /** Units that must start before it. */
  after?: readonly string[];
  /** Path of its own interpreter. */
  interpreter?: string;
  /** systemd drop-ins for its unit, by file name. */
  dropIns?(at: Layout): Readonly<Record<string, string>>;
}
