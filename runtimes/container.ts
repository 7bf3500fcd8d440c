/**
 * One container as Hearth runs it: what it is, how it is confined, what it sees. `quadlet.ts` renders it for systemd. Every
 * container is read-only, has no capabilities and gains none, and runs as one user that is the login user outside.
 */
export interface Container {
  /** Name of container and unit, e.g. `hearth-synapse`. */
  name: string;
  description: string;
  /** Full image name with tag or digest. */
  image: string;
  /** User and group in the image; outside they are the login user's own, so that he can read the files. */
  uid: number;
  gid: number;
  /** Program in place of the image's entry point. */
  entrypoint?: string;
  /** Arguments of the entry point. */
  command?: readonly string[];
  /** Public settings only: everybody who may look at the unit can read them. */
  environment: Readonly<Record<string, string>>;
  mounts: readonly Mount[];
  /** Files below /run/secrets, readable by the container's user only: name of the file to name of the Podman secret. */
  secrets: Readonly<Record<string, string>>;
  /** A private network with the other containers; one of its own that leads outside only, IPv6 too; or none at all. */
  network: "hearth" | "outside" | "none";
  publish: readonly PublishedPort[];
  /**
   * Capabilities that the image's program file carries: the kernel refuses to start it where they are out of bounds. The
   * process itself does not get them, for it gains no privileges. Absent: none.
   */
  boundingCapabilities?: readonly "NET_BIND_SERVICE"[];
  /** Directories in memory, beside /tmp and /run that every container has. */
  tmpfs: readonly string[];
  /** Says whether the service works; without one the container counts as started when its program runs. */
  health?: ContainerHealth;
  /** Most memory, and as much again of swap; enforced by the kernel. */
  memoryMiB: number;
  /** Most processes and threads; enforced by the kernel. */
  pids: number;
  /** Longest time a start may take, health included; for a job: its whole run. */
  startSeconds: number;
  /** Time to end by itself before it is killed. */
  stopSeconds: number;
  /** Program inside the container that takes in changed files without a restart; absent: there is none. */
  reload?: readonly string[];
  /** Units that a service wants started before it; a job only waits for those that start at the same time. */
  after: readonly string[];
  /** `service`: restarted for ever, started at boot. `job`: runs once each time a timer starts it. */
  kind: "service" | "job";
}

/** A host path or a `NAME.volume` of Quadlet, as the container sees it. */
export interface Mount {
  source: string;
  target: string;
  readOnly: boolean;
}

/** Where a port of the container can be reached on the machine. */
export interface PublishedPort {
  address: string;
  port: number;
  containerPort: number;
}

/** A program inside the container that says whether its service works. */
export interface ContainerHealth {
  command: readonly string[];
  intervalSeconds: number;
  /** One answer takes at most so long. */
  timeoutSeconds: number;
}

/** When a timer starts a job. */
export interface Timer {
  /** Name of the job's unit without its type, e.g. `hearth-maintenance`. */
  name: string;
  description: string;
  when: CalendarTimes | RunningTimes;
  /** Each time is put off by a random part of this. */
  randomDelaySeconds: number;
}

/** By the clock; a time that passed while the machine was off is caught up with. */
export interface CalendarTimes {
  /** systemd's calendar expression, e.g. `monthly`. */
  calendar: string;
}

/** By how long the machine runs. */
export interface RunningTimes {
  /** After boot. */
  bootSeconds: number;
  /** After the end of the last run; absent: once after each boot. */
  everySeconds?: number;
}

/** The private network of all containers that talk to each other. */
export const NETWORK = "hearth";
