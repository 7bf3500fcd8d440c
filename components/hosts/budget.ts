import { homeserverMemoryMiB } from "../../config-schemas/homeserver/schema";
import { parseSize } from "../../config-schemas/language/common";
import { postgresMemoryMiB } from "../../config-schemas/postgres/schema";
import type { StackConfig } from "../../config-schemas/stack";
import { JOB_MIB } from "../../runtimes/job";
import { maintenanceJobs } from "../maintenance/jobs";

/** Memory of the distribution, sshd, systemd and Podman's helpers, and the page cache of a small database, MiB. */
const SYSTEM_MIB = 512;
/** Memory of tailscaled while Funnel is on, MiB. */
const TUNNEL_MIB = 64;

/** A name, whether it is on this host, and its memory limit, MiB. */
type Use = [string, boolean, () => number];

/**
 * The memory limit of each program on a host with containers, MiB, by its name. Empty for a host without containers, because
 * programs there have no limits to add up.
 */
export function memoryBudget(config: StackConfig, host: string): Record<string, number> {
  if (config.hosts[host]?.runtime !== "quadlet") return {};
  const { homeserver, postgres, proxy, tunnel } = config;
  const jobs = jobsOn(config, host);
  const caddy = proxy.kind === "caddy" && proxy.host === host ? [proxy] : [];
  const uses: Use[] = [
    ["synapse", homeserver.host === host, () => homeserverMemoryMiB(homeserver)],
    ["postgres", postgres.host === host, () => postgresMemoryMiB(postgres)],
    ...caddy.map(({ memory }): Use => ["caddy", true, () => Math.floor(parseSize(memory) / 1024 ** 2)]),
    ["tailscaled", tunnel?.kind === "tailscale-funnel" && tunnel.host === host, () => TUNNEL_MIB],
    ["jobs", jobs > 0, () => jobs * JOB_MIB],
    ["the system itself", true, () => SYSTEM_MIB],
  ];
  return Object.fromEntries(uses.filter(([, here]) => here).map(([use, , mib]) => [use, mib()]));
}

/** How many jobs can run at the same time: all, because a job that waits for another one already has its container. */
function jobsOn({ homeserver, maintenance, inactivity, dns }: StackConfig, host: string): number {
  const cleaning =
    maintenance?.host === host
      ? maintenanceJobs(maintenance, homeserver, { media: "", database: "" }).length
      : 0;
  const bot = inactivity?.host === host ? 1 : 0;
  const names = dns?.host === host && dns.dynamic !== undefined ? 1 : 0;
  return cleaning + bot + names;
}
