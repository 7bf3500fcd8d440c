/**
 * One container as Hearth runs it: its program, its confinement, its mounts. `quadlet/render.ts` renders it for systemd. Every
 * container is read-only, has no capabilities and gains none. It runs as one user, which is the login user on the host.
 */
export interface Container {
  /** Name of the container and of its unit, e.g. `hearth-synapse`. */
  name: string;
  description: string;
  /** Full image name with tag or digest. */
  image: string;
  /** User and group in the image; on the host they are the login user's own, so the login user can read the files. */
  uid: number;
  gid: number;
  /** Program that replaces the image's entry point. */
  entrypoint?: string;
  /** Arguments of the entry point. */
  command?: readonly string[];
  /** Public settings only: everybody who can see the unit can read them. */
  environment: Readonly<Record<string, string>>;
  mounts: readonly Mount[];
  /** Files below /run/secrets, readable by the container's user only: name of the file to name of the Podman secret. */
  secrets: Readonly<Record<string, string>>;
  /** `hearth`: private, with the other containers. `outside`: separate, to the outside only, with IPv6. `none`: no network. */
  network: "hearth" | "outside" | "none";
  publish: readonly PublishedPort[];
  /**
   * Capabilities of the image's program file: the kernel refuses to start it when they are not in the bounding set. The process
   * does not get them, because it gains no privileges. Absent: none.
   */
  boundingCapabilities?: readonly "NET_BIND_SERVICE"[];
  /** Directories in memory, in addition to /tmp and /run, which every container has. */
  tmpfs: readonly string[];
  /** Checks whether the service works; absent: the container counts as started when its program runs. */
  health?: ContainerHealth;
  /** Memory limit, and the same limit for swap; the kernel enforces both. */
  memoryMiB: number;
  /** Limit of processes and threads; the kernel enforces it. */
  pids: number;
  /** How long a start may take until the container is healthy; for a job: how long its run may take. */
  startSeconds: number;
  /** How long a stop may take before the container is killed. */
  stopSeconds: number;
  /** Program inside the container that reloads changed files without a restart; absent: the service cannot reload. */
  reload?: readonly string[];
  /** Units that a service starts before itself. A job starts none: it only waits for those that start at the same time. */
  after: readonly string[];
  /** `service`: starts at boot, and restarts whenever it ends. `job`: runs once each time that a timer starts it. */
  kind: "service" | "job";
}

/** A host path or a `NAME.volume` of Quadlet, as the container sees it. */
export interface Mount {
  source: string;
  target: string;
  readOnly: boolean;
}

/** The host address and port that lead to a port of the container. */
export interface PublishedPort {
  address: string;
  port: number;
  containerPort: number;
}

/** A program inside the container that checks whether its service works. */
export interface ContainerHealth {
  command: readonly string[];
  intervalSeconds: number;
  /** How long one check may take. */
  timeoutSeconds: number;
}

/** When a timer starts a job. */
export interface Timer {
  /** Name of the job's unit without its type, e.g. `hearth-maintenance`. */
  name: string;
  description: string;
  when: CalendarTimes | RunningTimes;
  /** Each run is delayed by a random part of this time. */
  randomDelaySeconds: number;
}

/** Times by the clock. If the host was off at such a time, the job runs after the next start. */
export interface CalendarTimes {
  /** systemd's calendar expression, e.g. `monthly`. */
  calendar: string;
}

/** Times since the host started. */
export interface RunningTimes {
  /** First run, after boot. */
  bootSeconds: number;
  /** Next run, after the end of the previous run; absent: one run after each boot. */
  everySeconds?: number;
}

/** The private network of all containers that connect to each other. */
export const NETWORK = "hearth";
