import type { BackupConfig } from "../../config-schemas/backup/schema";
import { parseSize } from "../../config-schemas/language/common";
import type { Layout } from "../../runtimes/layout";
import { CONFINED } from "../../runtimes/native/hardening";

/** A job of backups: what its unit runs, and which folders it may write. */
export interface JobUnit {
  description: string;
  /** Name of the program. */
  program: string;
  at: Layout;
  config: BackupConfig;
  settings: string;
}

/**
 * The unit of a job. It reads everything of the host, so it runs as root, and becomes the user of Postgres for the database. It
 * gives way to everything else: processor, disk and memory go to the server first.
 */
export function renderUnit({ description, program, at, config, settings }: JobUnit): string {
  const { target, memory } = config;
  const mebibytes = Math.floor(parseSize(memory) / 1024 ** 2);
  const writes = [at.host.data(), ...(target.kind === "path" ? [`-${target.path}`] : [])];
  return [
    "# Written by Hearth from hearth:backup. A timer starts it, and `npx hearth backup`.",
    "[Unit]",
    `Description=${description}`,
    "After=network-online.target postgresql.service",
    "Wants=network-online.target",
    ...(target.kind === "path" ? [`RequiresMountsFor=${target.path}`] : []),
    "",
    "[Service]",
    "Type=oneshot",
    `ExecStart=/usr/bin/python3 -B ${at.host.program(program)} ${settings}`,
    "TimeoutStartSec=12h",
    "Nice=15",
    "IOSchedulingClass=idle",
    "CPUWeight=20",
    "IOWeight=20",
    `MemoryMax=${mebibytes}M`,
    "TasksMax=128",
    "CacheDirectory=hearth-backup",
    ...CONFINED,
    `ReadWritePaths=${writes.join(" ")}`,
    "ProtectHome=read-only",
    "CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_CHOWN CAP_FOWNER CAP_SETUID CAP_SETGID CAP_KILL",
    "UMask=0077",
    "",
  ].join("\n");
}
