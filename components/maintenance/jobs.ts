import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { parseDuration } from "../../config-schemas/language/common";
import type { MaintenanceConfig } from "../../config-schemas/maintenance/schema";
import { type Job, secondsOption } from "../../runtimes/job";
import type { Layout } from "../../runtimes/layout";

/** Where the cleaning's container sees the media store. */
const MEDIA = "/media";
/** After boot the homeserver itself needs some seconds; the job waits for it. */
const WAKE_BOOT_SECONDS = 15;
/** When the machine has settled. */
const RETENTION_BOOT_SECONDS = 180;
const HOUR = 3600;

/** What fills the disk: folders on the host. */
export interface DiskUse {
  media: string;
  database: string;
}

/** What is to be done for these settings. */
export function maintenanceJobs(
  config: MaintenanceConfig,
  homeserver: HomeserverConfig,
  disk: DiskUse,
): Job[] {
  return [wake(), ...retention(homeserver), cleaning(config, disk)];
}

function wake(): Job {
  return {
    name: "hearth-wake",
    description: "Tell other servers that this one is back",
    program: "wake.py",
    settings: [],
    mounts: [],
    when: { bootSeconds: WAKE_BOOT_SECONDS },
    randomDelaySeconds: 0,
    runSeconds: HOUR,
  };
}

/** Nothing has a lifetime: no job. */
function retention({ retention: messages, media }: HomeserverConfig): Job[] {
  const lifetimes = [
    ...retentionOptions(messages),
    ...lifetimeOption("--local-media", media.localLifetime),
    ...lifetimeOption("--remote-media", media.remoteLifetime),
  ];
  if (lifetimes.length === 0) return [];
  const interval = messages === undefined ? HOUR : parseDuration(messages.purgeInterval);
  return [
    {
      name: "hearth-retention",
      description: "Purge what is older than it may be",
      program: "retention.py",
      settings: ["--interval", String(interval), ...lifetimes],
      mounts: [],
      when: { bootSeconds: RETENTION_BOOT_SECONDS, everySeconds: interval },
      randomDelaySeconds: 0,
      runSeconds: 12 * HOUR,
    },
  ];
}

/** How long messages live, as options of a program; none: for ever. */
export function retentionOptions(messages: HomeserverConfig["retention"]): string[] {
  return [
    ...lifetimeOption("--max-lifetime", messages?.maxLifetime),
    ...lifetimeOption("--allowed-min", messages?.allowedMin),
    ...lifetimeOption("--allowed-max", messages?.allowedMax),
  ];
}

function lifetimeOption(name: string, lifetime: string | undefined): string[] {
  return secondsOption(name, lifetime === undefined ? undefined : parseDuration(lifetime));
}

function cleaning({ schedule, remoteMedia }: MaintenanceConfig, disk: DiskUse): Job {
  return {
    name: "hearth-maintenance",
    description: "Clean the media store",
    program: "clean.py",
    settings: ["--media", MEDIA, ...lifetimeOption("--remote-media", remoteMedia)],
    mounts: [{ source: disk.media, target: MEDIA, readOnly: false }],
    when: { calendar: schedule },
    randomDelaySeconds: HOUR / 2,
    runSeconds: 12 * HOUR,
    dropIns: (at) => ({ "50-disk-use.conf": diskUse(disk, at) }),
  };
}

/** Before and after the cleaning its log says what is used: counted by the host, because the job sees no database. */
function diskUse({ media, database }: DiskUse, { host }: Layout): string {
  const count = (when: string) =>
    ["/bin/sh", host.program("disk_use.sh"), when, `${host.data()}/log`, media, database]
      .map((word) => word.replaceAll("%", "%%"))
      .join(" ");
  const lines = ["[Service]", `ExecStartPre=${count("before")}`, `ExecStopPost=${count("after")}`];
  return `# Written by Hearth: disk use before and after the cleaning.\n${lines.join("\n")}\n`;
}
