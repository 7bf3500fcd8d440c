import type {
  AptRepository,
  HealthProbe,
  HostSecret,
  HostTask,
  HostUser,
  Inputs,
  Ownership,
  Preflight,
  PythonEnvironment,
  Validator,
} from "../provider/sdk";
import type { Container, Mount, Timer } from "./container";
import type { Layout } from "./layout";
import type { Listener } from "./listener";

/**
 * What one service is, whichever way a host runs it. A runtime makes a Release of it: folders, files, secrets, units, checks.
 * What is left out is empty.
 */
export interface ServiceSpec {
  /** Folders on the host are named after it, e.g. `homeserver`. */
  name: string;
  /** For people, as title of its unit. */
  description: string;
  /** How it can run; a runtime that has no key here cannot run it. Only the one that the host has is asked. */
  programs: { native?: () => NativeProgram; quadlet?: () => ContainerProgram };
  /** What it reads, in its folder of configuration. */
  files?: readonly ServiceFile[];
  /** By role, e.g. `macaroon`. */
  secrets?: Readonly<Record<string, ServiceSecret>>;
  /** Which of its own programs it runs itself: a change of one restarts it. Those come from `components/<name>/programs/`. */
  runs?: readonly string[];
  /** Further files in the folder of its programs, by name. */
  beside?: Readonly<Record<string, string>>;
  /** What it listens on for others, beside its sockets. */
  listens?: readonly Listener[];
  /** Public facts of other resources that restart or reload it (`revision:<name>`). */
  follows?: { restart?: readonly string[]; reload?: readonly string[] };
  /** Questions about the staged files to the program itself, in order of their names. */
  checks?: Readonly<Record<string, ServiceCheck>>;
  /** What must hold after a change; absent: that its unit runs. */
  health?(at: Layout): HealthProbe;
  /** A timer runs it; absent: it always runs. */
  schedule?: Schedule;
}

/** When a timer starts a service. */
export interface Schedule extends Pick<Timer, "when" | "randomDelaySeconds"> {
  /** Whether a change of what it does starts the timer again: after boot's time has passed, it then runs at once. */
  onChange?: boolean;
}

/** A file of a service's configuration. Everybody may read it: a secret never stands in one. */
export interface ServiceFile {
  /** E.g. `homeserver.yaml`. */
  name: string;
  /** What takes a change in. */
  change: "restart" | "reload";
  text(at: Layout): string;
}

/** A secret of a service: made once on the host, or given by the operator; never read back. */
export interface ServiceSecret {
  /** Its path below the folder of configuration, where it is a file, e.g. `secrets/signing.key`. */
  file: string;
  /** Name of its file in a container. Default: the name of the Podman secret. */
  inside?: string;
  source(at: Layout): Inputs<HostSecret>["source"];
  /** `service`: it reads the secret, and restarts with another. `host`: only programs on the host do. */
  reader: "service" | "host";
  /** Access of the file where it is one. Default: `0600` of root. */
  access?: Ownership;
}

/** A question to the program itself, with its own interpreter: exit status 0, or its last lines are the reason. */
export interface ServiceCheck {
  argv(at: Layout): readonly string[];
  /** Without what a container takes to start. */
  timeoutSeconds: number;
  /** Without network. */
  isolateNetwork?: boolean;
  /** `config`: it is shown the configuration only, no secrets and no data. */
  sees?: "config";
}

/** What both kinds of program may bring along. */
interface Extras {
  /** Units of other releases whose connections a restart of this one would break: they restart together with it. */
  along?: readonly string[];
  /** Further files of its configuration. */
  files?: readonly ServiceFile[];
  secrets?: Readonly<Record<string, ServiceSecret>>;
  tasks?(at: Layout): Readonly<Record<string, HostTask>>;
  checks?: Readonly<Record<string, ServiceCheck>>;
  /** What must hold after a change, where the spec itself does not say. */
  answers?(at: Layout): HealthProbe;
  /** Questions that a program on the host answers, with what that program may do. */
  validators?(at: Layout): Readonly<Record<string, Validator>>;
}

/** A program of packages, as a unit of systemd. */
export interface NativeProgram extends Extras {
  /** Full name of the unit. */
  unit: string;
  /** One that a package made: taken over although it is in service, where preflights see nothing against it. */
  adopt?: boolean;
  /** Unit files and drop-ins by path. */
  unitFiles?(at: Layout): Readonly<Record<string, string>>;
  /** Further subjects that restart it. */
  restartOn?: readonly string[];
  packages?: Readonly<Record<string, string>>;
  repositories?: Readonly<Record<string, AptRepository>>;
  environments?: Readonly<Record<string, PythonEnvironment>>;
  users?: Readonly<Record<string, HostUser>>;
  /** TCP ports that it opens on all addresses. */
  opens?: readonly string[];
  /** Further folders by path. */
  directories?: Readonly<Record<string, Ownership>>;
  preflights?(at: Layout): Readonly<Record<string, Preflight>>;
  /** User that answers its checks. Default: root. */
  user?: string;
  /** Path of its own interpreter. */
  interpreter?: string;
  /** Paths of data by name; the key "" is the folder of all of them. */
  data?: Readonly<Record<string, string>>;
  /** Where a package wants a file of ours (by its name or, for a secret, its `file`) instead of in our folder. */
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

/** A program of an image. */
export interface ContainerProgram extends Extras, ContainerParts {
  /** Name of container and unit, e.g. `hearth-synapse`. */
  container: string;
  command?(at: Layout): readonly string[];
  environment?: Readonly<Record<string, string>>;
  /** Where the container sees what it mounts of its own. */
  inside: { config?: string; programs?: string; data?: string };
  /** Folders of data below the service's own, which is "": name to mode. They are never removed. */
  data?: Readonly<Record<string, string>>;
  mounts(at: Layout): readonly Mount[];
  /** Files of its secrets that another service's release made: name of the file to name of the Podman secret. */
  borrowed?: Readonly<Record<string, string>>;
  /** Port inside the container that `listens` is published from; absent: nothing is published. */
  port?: number;
  /** Listeners that systemd opens for it, on the host's own addresses. */
  sockets?: readonly Listener[];
  /** Volumes of Podman that it brings along. */
  volumes?: readonly string[];
  /** Whether it brings the network of all containers along. */
  bringsNetwork?: boolean;
  /** Units that it wants started before it. */
  after?: readonly string[];
  /** Path of its own interpreter. */
  interpreter?: string;
  /** Drop-ins of systemd's for its unit by the name of the file; options of the section `[Service]`. */
  dropIns?(at: Layout): Readonly<Record<string, string>>;
}
