import type { HostFile, HostUnit, ReleaseInputs } from "../provider/sdk";
import { type Container, type Mount, NETWORK, type Timer } from "./container";
import { publicFile } from "./ownership";
import type { Places } from "./places";
import { renderContainer, renderTimer } from "./quadlet/render";

/** Most memory of a job's container, MiB. */
export const JOB_MIB = 128;

/** A small program of ours that a timer runs in the homeserver's image, with an account of its own. */
export interface Job {
  /** Name of container, unit and timer, e.g. `hearth-retention`. */
  name: string;
  description: string;
  /** File in the component's folder `programs/`. */
  program: string;
  /** What it needs to know beside the homeserver, its account and its folder. */
  settings: readonly string[];
  /** What it sees beside its programs, its password and its folder. */
  mounts: readonly Mount[];
  when: Timer["when"];
  randomDelaySeconds: number;
  /** Longest run. */
  runSeconds: number;
}

/** What the jobs of one component put on a host. */
export type JobParts = Required<
  Pick<ReleaseInputs, "directories" | "files" | "images" | "units" | "validators">
>;

/** Where jobs run. */
export interface Site {
  places: Places;
  /** The homeserver's image, which has Python. */
  image: string;
  /** Python's path in the image. */
  python: string;
  /** User of the image: who runs as it may connect to the socket. */
  uid: number;
  gid: number;
  /** The homeserver's socket in containers that have the mount. */
  socket: string;
  socketMount: Mount;
}

/** What all jobs of one component have in common. */
export interface Surroundings extends Site {
  /** Name of the component. */
  service: string;
  /** Local part of the jobs' account. */
  account: string;
}

/** Paths inside the container. */
const PROGRAMS = "/programs";
const PASSWORD = "/password";
const FOLDER = "/records";

/** Where a job finds a file of its component's folder of programs. */
export function besideProgram(name: string): string {
  return `${PROGRAMS}/${name}`;
}

/** Where the password of a job's account is on the host. */
function passwordFile({ places, account }: Surroundings): string {
  return `${places.state}/accounts/${account}.password`;
}

/** The job's container. */
function jobContainer(job: Job, around: Surroundings): Container {
  const { places, service, account, image, python, uid, gid, socket } = around;
  return {
    ...{ name: job.name, description: job.description, image, uid, gid },
    entrypoint: python,
    command: [
      ...["-B", `${PROGRAMS}/${job.program}`, "--socket", socket, "--user", account],
      ...["--password-file", PASSWORD, "--folder", FOLDER, ...job.settings],
    ],
    environment: {},
    mounts: [
      { source: places.programs(service), target: PROGRAMS, readOnly: true },
      { source: passwordFile(around), target: PASSWORD, readOnly: true },
      { source: places.data(service), target: FOLDER, readOnly: false },
      around.socketMount,
      ...job.mounts,
    ],
    ...{ secrets: {}, network: NETWORK, publish: [], tmpfs: [] },
    ...{ memoryMiB: JOB_MIB, pids: 64, startSeconds: job.runSeconds, stopSeconds: 30 },
    after: ["hearth-synapse.service"],
    kind: "job",
  };
}

/** Container and timer of each job, by path. */
export function jobFiles(jobs: readonly Job[], around: Surroundings): Record<string, HostFile> {
  const { places } = around;
  const files = jobs.flatMap((job): [string, string][] => [
    [containerFile(job, places), renderContainer(jobContainer(job, around))],
    [timerFile(job, places), renderTimer(job)],
  ]);
  return Object.fromEntries(files.map(([path, text]) => [path, publicFile(text, places)]));
}

export function containerFile({ name }: Job, places: Places): string {
  return `${places.containers}/${name}.container`;
}

export function timerFile({ name }: Job, places: Places): string {
  return `${places.units}/${name}.timer`;
}

/** The timers: a job itself runs only when its timer says so. */
export function jobUnits(jobs: readonly Job[], places: Places): Record<string, HostUnit> {
  return Object.fromEntries(
    jobs.map((job) => [
      `${job.name}.timer`,
      { enabled: true, state: "running", restartOn: [timerFile(job, places)], reloadOn: [] },
    ]),
  );
}

/** `--name seconds`, or nothing. */
export function secondsOption(name: string, seconds: number | undefined): string[] {
  return seconds === undefined ? [] : [name, String(seconds)];
}
