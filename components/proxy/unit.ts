import { MAIN_FILE } from "./render";

const NGINX = "/usr/sbin/nginx";
const OPTIONS = `-c ${MAIN_FILE} -g 'daemon on; master_process on;'`;

/** Drop-in for the package's unit: nginx runs with our file, and the package's own files stay as they are. */
export function renderUnitOverride(): string {
  return [
    "[Service]",
    "ExecStartPre=",
    `ExecStartPre=${NGINX} -t -q ${OPTIONS}`,
    "ExecStart=",
    `ExecStart=${NGINX} ${OPTIONS}`,
    "ExecReload=",
    `ExecReload=${NGINX} ${OPTIONS} -s reload`,
    "LimitNOFILE=8192",
    "Restart=on-failure",
    "RestartSec=3",
    "",
  ].join("\n");
}
