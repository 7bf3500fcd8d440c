import type { Places } from "../../runtimes/places";

/** What stands for Funnel while the release is on the host. */
export interface FunnelUnit {
  port: number;
  target: string;
  /** Folder of the programs. */
  programs: string;
  scope: Places["scope"];
}

/** Named by its port: with another port the old unit goes, and with it what was served there. */
export function unitName(port: number): string {
  return `hearth-funnel-${port}.service`;
}

/**
 * The daemon keeps Funnel's settings over reboots by itself; this unit is there so that Funnel goes off with the release
 * (a systemd unit is what a release stops when it is deleted), and comes back when a change is undone.
 */
export function renderUnit({ port, target, programs, scope }: FunnelUnit): string {
  const program = (verb: string) =>
    `/usr/bin/python3 -B ${programs}/funnel.py ${verb} --port=${port} --target=${target}`;
  // The user's systemd knows no system units; the program waits for the daemon.
  const order = scope === "system" ? ["After=tailscaled.service", "Wants=tailscaled.service"] : [];
  return [
    "[Unit]",
    `Description=Tailscale Funnel on ${port}, leading to ${target}`,
    ...order,
    "",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    `ExecStart=${program("start")}`,
    `ExecStop=${program("stop")}`,
    "TimeoutStartSec=180",
    "",
    "[Install]",
    `WantedBy=${scope === "system" ? "multi-user.target" : "default.target"}`,
    "",
  ].join("\n");
}
