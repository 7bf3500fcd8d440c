import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { parseDuration } from "../../config-schemas/language/common";
import type { MaintenanceConfig } from "../../config-schemas/maintenance/schema";
import { type Job, secondsOption } from "../../runtimes/job";
import type { Layout } from "../../runtimes/layout";

/** Path of the media store in the container of the cleaning job. */
const MEDIA = "/media";
/** The homeserver needs some seconds after boot; the job then waits for it. */
const WAKE_BOOT_SECONDS = 15;
/** After the work that follows a boot. */
const RETENTION_BOOT_SECONDS = 180;
const HOUR = 3600;

/** Folders on the host whose disk use is logged. */
export interface DiskUse {
  media: string;
  database: string;
}

/** The jobs for these settings. */
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

/** The job that purges. There is none if nothing has a lifetime. */
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

/** The lifetimes of messages as options of a program; none: messages are kept permanently. */
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

/** Logs the disk use before and after the cleaning. The host counts it, because the job cannot see the database. */
function diskUse({ media, database }: DiskUse, { host }: Layout): string {
  const count = (when: string) =>
    ["/bin/sh", host.program("disk_use.sh"), when, `${host.data()}/log`, media, database]
      .map((word) => word.replaceAll("%", "%%"))
      .join(" ");
  const lines = ["[Service]", `ExecStartPre=${count("before")}`, `ExecStopPost=${count("after")}`];
  return `# Written by Hearth: disk use before and after the cleaning.\n${lines.join("\n")}\n`;
}
