import { CONFINED } from "../../runtimes/native/hardening";
import { SOCKET, SOCKET_FOLDER, USER } from "./names";

/** What a unit has to say of an installation of Synapse. */
export interface UnitPlan {
  python: string;
  /** Path of `listen.py`. */
  program: string;
  configPaths: readonly string[];
  configFolder: string;
  dataFolder: string;
  logFolder: string;
  /** Unit of the database: when both restart, Synapse ends before it and starts after it. */
  database: string;
  /** Group of the proxy, which may use the socket. */
  proxyGroup: string;
}

/**
 * Confinement that Synapse can live with: it writes its data, its logs and nothing else, sees no devices, no homes and no
 * other processes, and gains no privileges. (Not MemoryDenyWriteExecute: its TLS library makes callbacks at run time.)
 */
function hardening({ dataFolder, logFolder, configFolder }: UnitPlan): string[] {
  return [
    ...CONFINED,
    "CapabilityBoundingSet=",
    `ReadWritePaths=${dataFolder} ${logFolder} -${SOCKET_FOLDER}`,
    `ReadOnlyPaths=${configFolder}`,
    "ProtectHome=yes",
    // Request bodies are kept there while they come in; /tmp may be in memory.
    "Environment=TMPDIR=/var/tmp",
    "RemoveIPC=yes",
    "SystemCallFilter=~@privileged",
  ];
}

/** How Synapse starts, and the socket that stays open while it restarts. */
function startOf({ python, program, configPaths, proxyGroup }: UnitPlan): string[] {
  const start = [
    python,
    program,
    SOCKET,
    "synapse.app.homeserver",
    ...configPaths.map((path) => `--config-path=${path}`),
  ];
  return [
    `ExecStartPre=+/usr/bin/install -d -m 0750 -o ${USER} -g ${proxyGroup} ${SOCKET_FOLDER}`,
    `ExecStart=${start.join(" ")}`,
    "# The listening socket: over a restart connections wait on it. A stop closes it.",
    "FileDescriptorStoreMax=1",
  ];
}

/** A complete unit, for an installation without a package of its own. */
export function renderUnit(plan: UnitPlan): string {
  return [
    "[Unit]",
    "Description=Synapse, a Matrix homeserver",
    "Documentation=https://element-hq.github.io/synapse/latest/",
    "Wants=network-online.target",
    `After=network-online.target postgresql.service ${plan.database}`,
    "",
    "[Service]",
    "Type=notify",
    `User=${USER}`,
    `Group=${USER}`,
    `WorkingDirectory=${plan.dataFolder}`,
    ...startOf(plan),
    "# Synapse reads its log configuration again.",
    "ExecReload=/bin/kill -HUP $MAINPID",
    "# A new release may have to change the database first.",
    "TimeoutStartSec=10min",
    "Restart=on-failure",
    "RestartSec=3",
    "SyslogIdentifier=matrix-synapse",
    ...hardening(plan),
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

/** What is added to the vendor package's own unit, which has no confinement and listens by itself. */
export function renderUnitOverride(plan: UnitPlan): string {
  return [
    "[Unit]",
    `After=${plan.database}`,
    "",
    "[Service]",
    "ExecStart=",
    ...startOf(plan),
    ...hardening(plan),
    "",
  ].join("\n");
}
