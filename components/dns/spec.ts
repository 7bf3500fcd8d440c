import type * as pulumi from "@pulumi/pulumi";
import type { DnsConfig } from "../../config-schemas/dns/schema";
import { parseDuration } from "../../config-schemas/language/common";
import { JOB_MIB, type JobHost } from "../../runtimes/job";
import type { ContainerProgram, ServiceSpec } from "../../runtimes/service";

/** Name of component, release and folders. */
export const SERVICE = "dns";

/** Dynu's URLs that answer with the address of the client, one for each protocol. */
const ADDRESS_URLS = { ipv4: "https://checkip.dynu.com/", ipv6: "https://checkipv6.dynu.com/" } as const;
const PROGRAMS = "/programs";
/** Role of the secret that contains the key of the API. */
const KEY = "dynu-key";
/** After boot, time for the network to start. */
const BOOT_SECONDS = 30;
const RANDOM_SECONDS = 30;

/** The names that follow the host's address, and the API that changes their records. */
export interface DynamicDns {
  dynamic: NonNullable<DnsConfig["dynamic"]>;
  apiUrl: string;
  apiKey: pulumi.Output<string>;
}

/** The client of dynamic DNS: a small program of Hearth that a timer runs in a container. */
export function dynamicDnsSpec(wanted: DynamicDns, host: JobHost): ServiceSpec {
  const { dynamic, apiKey } = wanted;
  return {
    name: SERVICE,
    description: "Names that follow this machine's public address",
    programs: { quadlet: () => client(wanted, host) },
    secrets: {
      [KEY]: {
        ...{ file: "dynu_key", inside: "dynu_key", reader: "service" },
        source: () => ({ kind: "given", value: apiKey }),
      },
    },
    schedule: {
      when: { bootSeconds: BOOT_SECONDS, everySeconds: parseDuration(dynamic.interval) },
      randomDelaySeconds: RANDOM_SECONDS,
      // A new name gets its address immediately, not at the next interval.
      onChange: true,
    },
  };
}

function client({ dynamic, apiUrl }: DynamicDns, host: JobHost): ContainerProgram {
  const { image, uid, gid, interpreter } = host;
  const kinds = (["ipv4", "ipv6"] as const).filter((kind) => dynamic[kind]);
  return {
    ...{ container: "hearth-dns", image, uid, gid },
    inside: { programs: PROGRAMS },
    entrypoint: interpreter,
    command: (at) => [
      ...["-B", at.inside.program("dynamic.py"), "--api", apiUrl, "--key-file", at.inside.secret(KEY)],
      ...kinds.flatMap((kind) => [`--${kind}`, ADDRESS_URLS[kind]]),
      ...dynamic.names,
    ],
    mounts: (at) => [{ source: at.host.program(), target: PROGRAMS, readOnly: true }],
    network: "outside",
    ...{ memoryMiB: JOB_MIB, pids: 32, startSeconds: 300, stopSeconds: 5 },
  };
}
