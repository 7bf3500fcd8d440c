/** Connections beside Synapse's pool: superusers (Postgres reserves 3), dumps, exporters, a person with psql. */
const OTHER_CONNECTIONS = 20;

/** Memory settings in MiB, and the number of connections they are computed for. */
export interface Tuning {
  maxConnections: number;
  sharedBuffers: number;
  effectiveCacheSize: number;
  maintenanceWorkMem: number;
  workMem: number;
}

function within(least: number, value: number, most: number): number {
  return Math.floor(Math.min(most, Math.max(least, value)));
}

/**
 * Settings for a server that shares its machine with Synapse and the proxy: a quarter of the memory for shared buffers,
 * half of it counted as cache, sorts that fit even when every connection sorts.
 * @param memoryMiB the machine's memory in MiB
 * @param poolMax connections that Synapse opens at most
 */
export function tune(memoryMiB: number, poolMax: number): Tuning {
  const maxConnections = poolMax + OTHER_CONNECTIONS;
  return {
    maxConnections,
    sharedBuffers: within(64, memoryMiB / 4, 8192),
    effectiveCacheSize: within(128, memoryMiB / 2, 65_536),
    maintenanceWorkMem: within(32, memoryMiB / 16, 1024),
    workMem: within(4, memoryMiB / 8 / maxConnections, 64),
  };
}
