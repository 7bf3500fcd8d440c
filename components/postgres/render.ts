import type { PostgresConfig } from "../../config-schemas/postgres/schema";
import type { Listener } from "../../runtimes/listener";
import { RESTART_SETTINGS } from "./restart-settings";
import { tune } from "./tuning";

type Setting = string | number | boolean;

/** Proof that the server reads our files: a setting of our own that a validator asks it for. */
export const MARKER = "hearth.managed";

/**
 * Synapse writes values into its statements, access tokens among them: one that fails must not bring them into the log, nor
 * may the details of the error (the key that exists already, the statements of a deadlock).
 */
const DISCREET = { log_min_error_statement: "panic", log_error_verbosity: "terse" };

/** The two files of settings: one whose changes need a restart, one that a reload brings in. */
export interface PostgresFiles {
  restart: string;
  reload: string;
}

/**
 * Settings of the database server.
 * @param memoryMiB memory that the computed ones are for: the host's or the container's
 * @param listeners what it listens on beside its socket
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
 * The file that a server in a container starts with: what initdb wrote, then ours.
 * @param folder our settings as the container sees them
 * @param data the data directory as the container sees it
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
 * Who may log in to a server in a container. Everybody by password, the superuser too: all containers are one user outside,
 * so the system user of who connects says nothing.
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

/** A value as postgresql.conf takes it; every value may stand in quotes. */
function quote(value: Setting): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return `'${String(value).replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}
