import type { Places } from "../../runtimes/places";

/** The unit that represents Funnel while the release is on the host. */
export interface FunnelUnit {
  port: number;
  target: string;
  /** Folder of the programs. */
  programs: string;
  scope: Places["scope"];
}

/** The name contains the port: a new port removes the old unit, and with it Funnel on the old port. */
export function unitName(port: number): string {
  return `hearth-funnel-${port}.service`;
}

/**
 * The daemon itself keeps Funnel's settings after a reboot. This unit exists so that Funnel is turned off when the release is
 * deleted (a release stops its units), and turned on again when a change is undone.
 */
export function renderUnit({ port, target, programs, scope }: FunnelUnit): string {
  const program = (verb: string) =>
    `/usr/bin/python3 -B ${programs}/funnel.py ${verb} --port=${port} --target=${target}`;
  // A user's systemd does not know system units; the program itself waits for the daemon.
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
