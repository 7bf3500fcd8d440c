import type { PostgresConfig } from "../../config-schemas/postgres";
import { RESTART_SETTINGS } from "./restart-settings";
import { tune } from "./tuning";

type Setting = string | number | boolean;

/** Proof that the server reads our files: a setting of our own that a validator asks it for. */
export const MARKER = "hearth.managed";

/** The two files of settings: one whose changes need a restart, one that a reload brings in. */
export interface PostgresFiles {
  restart: string;
  reload: string;
}

/**
 * Settings of the database server.
 * @param memoryMiB the machine's memory, for the computed ones
 */
export function renderPostgres(config: PostgresConfig, memoryMiB: number): PostgresFiles {
  const settings = Object.entries({ ...ownSettings(config, memoryMiB), ...config.settings });
  const restart = settings.filter(([name]) => RESTART_SETTINGS.has(name));
  const reload = settings.filter(([name]) => !RESTART_SETTINGS.has(name));
  return {
    restart: render("a change here restarts Postgres", restart),
    reload: render("a change here reloads Postgres", [...reload, [MARKER, "yes"]]),
  };
}

function ownSettings(config: PostgresConfig, memoryMiB: number): Record<string, Setting> {
  // With peer authentication nobody needs TCP.
  const listen = { listen_addresses: config.authentication === "peer" ? "" : "localhost" };
  if (config.tuning === "none") return listen;
  const tuning = tune(memoryMiB, config.pool.max);
  return {
    ...listen,
    max_connections: tuning.maxConnections,
    shared_buffers: `${tuning.sharedBuffers}MB`,
    effective_cache_size: `${tuning.effectiveCacheSize}MB`,
    maintenance_work_mem: `${tuning.maintenanceWorkMem}MB`,
    work_mem: `${tuning.workMem}MB`,
  };
}

function render(purpose: string, settings: readonly (readonly [string, Setting])[]): string {
  const lines = settings.map(([name, value]) => `${name} = ${quote(value)}`);
  return [`# Written by Hearth from hearth:postgres; ${purpose}.`, ...lines, ""].join("\n");
}

/** A value as postgresql.conf takes it; every value may stand in quotes. */
function quote(value: Setting): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return `'${String(value).replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}
