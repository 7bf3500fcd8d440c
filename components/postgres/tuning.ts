/** Connections in addition to Synapse's pool: superusers (Postgres reserves 3), dumps, exporters, a person with psql. */
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
 * Computes settings for a server that shares its host with Synapse and the proxy: a quarter of the memory is for shared
 * buffers, half of it counts as cache, and the memory is enough even if every connection sorts.
 * @param memoryMiB the host's or the container's memory in MiB
 * @param poolMax the largest number of connections that Synapse opens
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
