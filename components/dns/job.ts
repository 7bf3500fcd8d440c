import type { DnsConfig } from "../../config-schemas/dns/schema";
import { parseDuration } from "../../config-schemas/language/common";
import type { Container, Timer } from "../../runtimes/container";
import { JOB_MIB, type JobParts, type Site } from "../../runtimes/job";
import { publicFile } from "../../runtimes/ownership";
import { owned } from "../../runtimes/places";
import { hostPrograms } from "../../runtimes/programs";
import { quadletCheck } from "../../runtimes/quadlet/podman";
import { renderContainer, renderTimer } from "../../runtimes/quadlet/render";

/** Name of component, release and folders. */
export const SERVICE = "dns";
/** Podman secret with the key of the API. */
export const KEY_SECRET = "hearth-dynu-key";

const NAME = "hearth-dns";
const DESCRIPTION = "Names that follow this machine's public address";
/** Dynu's own answers to "from where do I come?", each over the one protocol. */
const ADDRESS_URLS = { ipv4: "https://checkip.dynu.com/", ipv6: "https://checkipv6.dynu.com/" } as const;

const PROGRAMS = "/programs";
const KEY_FILE = "dynu_key";
/** After boot the network comes first. */
const BOOT_SECONDS = 30;
const RANDOM_SECONDS = 30;

/** What keeps the address of some names. */
export interface DynamicDns {
  dynamic: NonNullable<DnsConfig["dynamic"]>;
  apiUrl: string;
}

/** The client of dynamic DNS: a small program of ours that a timer runs in a container. */
export function dynamicDns(wanted: DynamicDns, site: Site): JobParts {
  const { places, image } = site;
  const containerFile = `${places.containers}/${NAME}.container`;
  const timerFile = `${places.units}/${NAME}.timer`;
  const check = quadletCheck(SERVICE, places, [containerFile, timerFile]);
  return {
    directories: { [places.programs(SERVICE)]: owned(places, "0755") },
    files: {
      ...hostPrograms(SERVICE, places),
      ...check.files,
      [containerFile]: publicFile(renderContainer(containerOf(wanted, site)), places),
      [timerFile]: publicFile(renderTimer(timerOf(wanted)), places),
    },
    images: [image],
    units: {
      // The job itself runs only when its timer says so.
      [`${NAME}.timer`]: {
        enabled: true,
        state: "running",
        restartOn: [timerFile, containerFile],
        reloadOn: [],
      },
    },
    validators: check.validators,
  };
}

function timerOf({ dynamic }: DynamicDns): Timer {
  const when = { bootSeconds: BOOT_SECONDS, everySeconds: parseDuration(dynamic.interval) };
  return { name: NAME, description: DESCRIPTION, when, randomDelaySeconds: RANDOM_SECONDS };
}

function containerOf({ dynamic, apiUrl }: DynamicDns, site: Site): Container {
  const { places, image, python, uid, gid } = site;
  const kinds = (["ipv4", "ipv6"] as const).filter((kind) => dynamic[kind]);
  return {
    ...{ name: NAME, description: DESCRIPTION, image, uid, gid },
    entrypoint: python,
    command: [
      ...["-B", `${PROGRAMS}/dynamic.py`, "--api", apiUrl, "--key-file", `/run/secrets/${KEY_FILE}`],
      ...kinds.flatMap((kind) => [`--${kind}`, ADDRESS_URLS[kind]]),
      ...dynamic.names,
    ],
    environment: {},
    mounts: [{ source: places.programs(SERVICE), target: PROGRAMS, readOnly: true }],
    secrets: { [KEY_FILE]: KEY_SECRET },
    network: "outside",
    ...{ publish: [], tmpfs: [], memoryMiB: JOB_MIB, pids: 32 },
    ...{ startSeconds: 300, stopSeconds: 5, after: [], kind: "job" },
  };
}
