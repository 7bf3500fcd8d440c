import { CONFINED } from "../../runtimes/native/hardening";
import { MAIN_PATH } from "./render";

const OPTIONS = `-c ${MAIN_PATH} -g 'daemon on; master_process on;'`;

/**
 * Lets nginx do as root only what it must: use ports below 1024, start workers as another user, send them signals, and create
 * logs that belong to them. It writes logs, bodies and its PID. It may read home directories for sites that the operator linked.
 */
const HARDENING: readonly string[] = [
  ...CONFINED,
  "CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_SETUID CAP_SETGID CAP_KILL CAP_CHOWN CAP_DAC_OVERRIDE",
  "ReadWritePaths=/run -/var/log/nginx -/var/lib/nginx -/var/cache/nginx",
  "ProtectHome=read-only",
  "MemoryDenyWriteExecute=yes",
  "SystemCallFilter=~@keyring @memlock",
];

/**
 * Drop-in for the package's unit: nginx runs with our file, and the package's files do not change.
 * @param nginx path of the program
 */
export function renderUnitOverride(nginx: string): string {
  return [
    "[Service]",
    "ExecStartPre=",
    `ExecStartPre=${nginx} -t -q ${OPTIONS}`,
    "ExecStart=",
    `ExecStart=${nginx} ${OPTIONS}`,
    "ExecReload=",
    `ExecReload=${nginx} ${OPTIONS} -s reload`,
    "LimitNOFILE=8192",
    "Restart=on-failure",
    "RestartSec=3",
    ...HARDENING,
    "",
  ].join("\n");
}
