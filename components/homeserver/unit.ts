import { CONFINED } from "../../runtimes/native/hardening";
import { SOCKET, SOCKET_FOLDER, USER } from "./names";

/** The values of a unit for an installation of Synapse. */
export interface UnitPlan {
  python: string;
  /** Path of `listen.py`. */
  program: string;
  configPaths: readonly string[];
  configFolder: string;
  dataFolder: string;
  logFolder: string;
  /** Unit of the database: when both restart, Synapse stops before it and starts after it. */
  database: string;
  /** Group of the proxy, which may use the socket. */
  proxyGroup: string;
}

/**
 * Confinement that suits Synapse: it can write only its data and its logs, sees no devices, no home directories and no other
 * processes, and gains no privileges. (Not MemoryDenyWriteExecute: its TLS library creates callbacks at run time.)
 */
function hardening({ dataFolder, logFolder, configFolder }: UnitPlan): string[] {
  return [
    ...CONFINED,
    "CapabilityBoundingSet=",
    `ReadWritePaths=${dataFolder} ${logFolder} -${SOCKET_FOLDER}`,
    `ReadOnlyPaths=${configFolder}`,
    "ProtectHome=yes",
    // Folder of incoming request bodies; /tmp may be in memory.
    "Environment=TMPDIR=/var/tmp",
    "RemoveIPC=yes",
    "SystemCallFilter=~@privileged",
  ];
}

/** Commands that start Synapse, and the option that keeps its socket open during a restart. */
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

/** A complete unit, for an installation from the Python index. */
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

/** A drop-in for the vendor package's unit, which has no confinement and opens its listeners itself. */
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
