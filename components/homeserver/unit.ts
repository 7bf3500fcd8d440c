import { CONFINED } from "../../runtimes/native/hardening";
import { programFolder } from "../../runtimes/programs";
import {
  CONFIG_FOLDER,
  DATA_FOLDER,
  LOG_FOLDER,
  PROXY_GROUP,
  SOCKET_FOLDER,
  SOCKET_NAME,
  USER,
} from "./paths";

/**
 * Confinement that Synapse can live with: it writes its data, its logs and nothing else, sees no devices, no homes and no
 * other processes, and gains no privileges. (Not MemoryDenyWriteExecute: its TLS library makes callbacks at run time.)
 */
const HARDENING: readonly string[] = [
  ...CONFINED,
  "CapabilityBoundingSet=",
  `ReadWritePaths=${DATA_FOLDER} ${LOG_FOLDER} -${SOCKET_FOLDER}`,
  `ReadOnlyPaths=${CONFIG_FOLDER}`,
  "ProtectHome=yes",
  // Request bodies are kept there while they come in; /tmp may be in memory.
  "Environment=TMPDIR=/var/tmp",
  "RemoveIPC=yes",
  "SystemCallFilter=~@privileged",
];

/** How Synapse starts, and the socket that stays open while it restarts. */
function startOf(python: string, configPaths: readonly string[]): string[] {
  const start = [
    python,
    `${programFolder("homeserver")}/listen.py`,
    `${SOCKET_FOLDER}/${SOCKET_NAME}`,
    "synapse.app.homeserver",
    ...configPaths.map((path) => `--config-path=${path}`),
  ];
  return [
    `ExecStartPre=+/usr/bin/install -d -m 0750 -o ${USER} -g ${PROXY_GROUP} ${SOCKET_FOLDER}`,
    `ExecStart=${start.join(" ")}`,
    "# The listening socket: over a restart connections wait on it. A stop closes it.",
    "FileDescriptorStoreMax=1",
  ];
}

/**
 * A complete unit, for an installation without a package of its own.
 * @param database unit of the database: when both restart, Synapse ends before it and starts after it
 */
export function renderUnit(python: string, configPaths: readonly string[], database: string): string {
  return [
    "[Unit]",
    "Description=Synapse, a Matrix homeserver",
    "Documentation=https://element-hq.github.io/synapse/latest/",
    "Wants=network-online.target",
    `After=network-online.target postgresql.service ${database}`,
    "",
    "[Service]",
    "Type=notify",
    `User=${USER}`,
    `Group=${USER}`,
    `WorkingDirectory=${DATA_FOLDER}`,
    ...startOf(python, configPaths),
    "# Synapse reads its log configuration again.",
    "ExecReload=/bin/kill -HUP $MAINPID",
    "# A new release may have to change the database first.",
    "TimeoutStartSec=10min",
    "Restart=on-failure",
    "RestartSec=3",
    "SyslogIdentifier=matrix-synapse",
    ...HARDENING,
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

/** What is added to the vendor package's own unit, which has no confinement and listens by itself. */
export function renderUnitOverride(python: string, configPaths: readonly string[], database: string): string {
  return [
    "[Unit]",
    `After=${database}`,
    "",
    "[Service]",
    "ExecStart=",
    ...startOf(python, configPaths),
    ...HARDENING,
    "",
  ].join("\n");
}
