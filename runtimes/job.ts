import type { Container, Mount } from "./container";
import { NETWORK } from "./container";
import type { Layout } from "./layout";
import type { Schedule, ServiceSpec } from "./service";

/** Most memory of a job's container, MiB. */
export const JOB_MIB = 128;

/** A small program of ours that a timer runs in the homeserver's image, with an account of its own. */
export interface Job extends Pick<Schedule, "when" | "randomDelaySeconds"> {
  /** Name of container, unit and timer, e.g. `hearth-retention`. */
  name: string;
  description: string;
  /** File in the component's folder `programs/`. */
  program: string;
  /** What it needs to know beside the homeserver, its account and its folder. */
  settings: readonly string[];
  /** What it sees beside its programs, its password and its folder. */
  mounts: readonly Mount[];
  /** Longest run. */
  runSeconds: number;
  dropIns?(at: Layout): Readonly<Record<string, string>>;
}

/** What jobs run in: the homeserver's image, which has Python, with the homeserver's socket. */
export interface JobHost extends Pick<Container, "image" | "uid" | "gid"> {
  /** Path of Python. Who runs as the image's user may connect to the socket. */
  interpreter: string;
  /** The homeserver's socket in containers that have the mount. */
  socket: string;
  socketMount: Mount;
}

/** What all jobs of one component have in common. */
export interface JobSite extends JobHost {
  /** Name of the component. */
  service: string;
  /** Local part of the jobs' account. */
  account: string;
  /** Further files in the folder of programs, by name. */
  beside?: Readonly<Record<string, string>>;
}

/** Paths inside the container. */
const PROGRAMS = "/programs";
const PASSWORD = "/password";
const FOLDER = "/records";

/** Where a job finds a file of its component's folder of programs. */
export function besideProgram(name: string): string {
  return `${PROGRAMS}/${name}`;
}

/** The job as a service that a timer runs. */
export function jobSpec(job: Job, site: JobSite): ServiceSpec {
  const { service, account, image, uid, gid, interpreter, socket, socketMount } = site;
  const { when, randomDelaySeconds, dropIns } = job;
  return {
    name: service,
    description: job.description,
    beside: site.beside ?? {},
    schedule: { when, randomDelaySeconds },
    programs: {
      quadlet: () => ({
        ...{ container: job.name, image, uid, gid, network: NETWORK },
        ...{ inside: { programs: PROGRAMS, data: FOLDER }, data: { "": "0700" } },
        entrypoint: interpreter,
        command: (at) => [
          ...["-B", at.inside.program(job.program), "--socket", socket, "--user", account],
          ...["--password-file", PASSWORD, "--folder", FOLDER, ...job.settings],
        ],
        mounts: (at) => [
          { source: at.host.program(), target: PROGRAMS, readOnly: true },
          { source: passwordFile(at, account), target: PASSWORD, readOnly: true },
          { source: at.host.data(), target: FOLDER, readOnly: false },
          ...[socketMount, ...job.mounts],
        ],
        ...{ memoryMiB: JOB_MIB, pids: 64, startSeconds: job.runSeconds, stopSeconds: 30 },
        after: ["hearth-synapse.service"],
        ...(dropIns === undefined ? {} : { dropIns }),
      }),
    },
  };
}

/** Where the password of a job's account is on the host. */
function passwordFile({ records }: Layout, account: string): string {
  return `${records}/accounts/${account}.password`;
}

/** `--name seconds`, or nothing. */
export function secondsOption(name: string, seconds: number | undefined): string[] {
  return seconds === undefined ? [] : [name, String(seconds)];
}
