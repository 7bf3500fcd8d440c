import type { Layout } from "../../runtimes/layout";
import { CONFINED } from "../../runtimes/native/hardening";

/** What the unit of the renewal runs. */
export interface RenewalUnit {
  at: Layout;
  settings: string;
  /** Data folder: the only one that it may write. */
  folder: string;
  /** The proxy's unit. */
  proxy: string;
}

/** The unit that gets and renews the certificate. Only the reload of the proxy, which systemd does, is not confined. */
export function renderUnit({ at, settings, folder, proxy }: RenewalUnit): string {
  return [
    "# Written by Hearth: gets and renews the certificate. A timer starts it, and `pulumi up`.",
    "[Unit]",
    "Description=Renewal of the certificate",
    "# At a boot the proxy takes port 80 first.",
    `After=network-online.target ${proxy}`,
    "Wants=network-online.target",
    "",
    "[Service]",
    "Type=oneshot",
    `ExecStart=/usr/bin/python3 -B ${at.host.program("renew.py")} ${settings} ${folder}`,
    `ExecStartPost=+/bin/sh ${at.host.program("reload.sh")} ${folder} ${proxy}`,
    "TimeoutStartSec=20min",
    ...CONFINED,
    `ReadWritePaths=${folder}`,
    "# Port 80, while no proxy listens there.",
    "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
    "",
  ].join("\n");
}
