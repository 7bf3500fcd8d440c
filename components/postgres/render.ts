import type { PostgresConfig } from "../../config-schemas/postgres/schema";
import type { Listener } from "../../runtimes/listener";
import { RESTART_SETTINGS } from "./restart-settings";
import { tune } from "./tuning";

type Setting = string | number | boolean;

/** A setting of our own. A validator asks the server for it, as proof that the server reads our files. */
export const MARKER = "hearth.managed";

/**
 * Synapse's statements contain values, including access tokens. A failed statement must not write them into the log, and
 * neither may the details of its error (a key that already exists, the statements of a deadlock).
 */
const DISCREET = { log_min_error_statement: "panic", log_error_verbosity: "terse" };

/** The two files of settings: one whose changes need a restart, one whose changes need a reload. */
export interface PostgresFiles {
  restart: string;
  reload: string;
}

/**
 * Settings of the database server.
 * @param memoryMiB memory for which settings are computed: the host's or the container's
 * @param listeners addresses and ports in addition to its socket
 */
export function renderPostgres(
  config: PostgresConfig,
  memoryMiB: number,
  listeners: readonly Listener[],
): PostgresFiles {
  const addresses = listeners.map(({ address }) => address).join(", ");
  const computed = { listen_addresses: addresses, ...computedSettings(config, memoryMiB), ...DISCREET };
  const settings = Object.entries({ ...computed, ...config.settings });
  const restart = settings.filter(([name]) => RESTART_SETTINGS.has(name));
  const reload = settings.filter(([name]) => !RESTART_SETTINGS.has(name));
  return {
    restart: render("a change here restarts Postgres", restart),
    reload: render("a change here reloads Postgres", [...reload, [MARKER, "yes"]]),
  };
}

/**
 * The main file of a server in a container: it includes the settings from initdb, then ours.
 * @param folder folder of our settings, as the container sees it
 * @param data the data directory, as the container sees it
 */
export function renderMain(folder: string, data: string): string {
  return [
    "# Written by Hearth from hearth:postgres; a change here restarts Postgres.",
    `include_if_exists ${quote(`${data}/postgresql.conf`)}`,
    `hba_file = ${quote(`${folder}/pg_hba.conf`)}`,
    "include 'restart.conf'",
    "include 'reload.conf'",
    "",
  ].join("\n");
}

/**
 * Who may log in to a server in a container: everybody with a password, including the superuser. All containers run as one
 * user of the host, so the system user of a client proves nothing.
 */
export function renderHostAuthentication(): string {
  return ["# Written by Hearth; a change here reloads Postgres.", "local all all scram-sha-256", ""].join(
    "\n",
  );
}

function computedSettings(config: PostgresConfig, memoryMiB: number): Record<string, Setting> {
  if (config.tuning === "none") return {};
  const tuning = tune(memoryMiB, config.pool.max);
  return {
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

/** A value for postgresql.conf, where every value may be quoted. */
function quote(value: Setting): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return `'${String(value).replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}
