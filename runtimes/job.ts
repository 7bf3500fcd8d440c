import type { Container, Mount } from "./container";
import { NETWORK } from "./container";
import type { Layout } from "./layout";
import type { Schedule, ServiceSpec } from "./service";

/** Memory limit of a job's container, MiB. */
export const JOB_MIB = 128;

/** A small program of Hearth that a timer runs in the homeserver's image, with its own Matrix account. */
export interface Job extends Pick<Schedule, "when" | "randomDelaySeconds"> {
  /** Name of the container, unit and timer, e.g. `hearth-retention`. */
  name: string;
  description: string;
  /** Name of the file in the component's folder `programs/`. */
  program: string;
  /** Its arguments, in addition to the homeserver, its account and its folder. */
  settings: readonly string[];
  /** Its mounts, in addition to its programs, its password and its folder. */
  mounts: readonly Mount[];
  /** How long a run may take. */
  runSeconds: number;
  dropIns?(at: Layout): Readonly<Record<string, string>>;
}

/** Where jobs run: in the homeserver's image, which has Python, with the homeserver's socket. */
export interface JobHost extends Pick<Container, "image" | "uid" | "gid"> {
  /** Path of Python. A program that runs as the image's user may connect to the socket. */
  interpreter: string;
  /** Path of the homeserver's socket in containers that have `socketMount`. */
  socket: string;
  socketMount: Mount;
}

/** Common settings of all jobs of one component. */
export interface JobSite extends JobHost {
  /** Name of the component. */
  service: string;
  /** Local part of the jobs' account. */
  account: string;
  /** More files in the program folder, by name. */
  programFiles?: Readonly<Record<string, string>>;
}

/** Paths inside the container. */
const PROGRAMS = "/programs";
const PASSWORD = "/password";
const FOLDER = "/records";

/** Path of a file in the component's program folder, as the job sees it. */
export function programPath(name: string): string {
  return `${PROGRAMS}/${name}`;
}

/** The job as a service that a timer starts. */
export function jobSpec(job: Job, site: JobSite): ServiceSpec {
  const { service, account, image, uid, gid, interpreter, socket, socketMount } = site;
  const { when, randomDelaySeconds, dropIns } = job;
  return {
    name: service,
    description: job.description,
    programFiles: site.programFiles ?? {},
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

/** Path on the host of the password of a job's account. */
function passwordFile({ records }: Layout, account: string): string {
  return `${records}/accounts/${account}.password`;
}

/** The option `name` with this number of seconds; nothing when there is none. */
export function secondsOption(name: string, seconds: number | undefined): string[] {
  return seconds === undefined ? [] : [name, String(seconds)];
}
