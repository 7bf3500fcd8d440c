import { CONFIG_FOLDER, DATA_FOLDER, LOG_FOLDER, USER } from "./paths";

/**
 * Confinement that Synapse can live with: it writes its data, its logs and nothing else, sees no devices, no homes and no
 * other processes, and gains no privileges. (Not MemoryDenyWriteExecute: its TLS library makes callbacks at run time.)
 */
const HARDENING: readonly string[] = [
  "NoNewPrivileges=yes",
  "CapabilityBoundingSet=",
  "AmbientCapabilities=",
  "ProtectSystem=strict",
  `ReadWritePaths=${DATA_FOLDER} ${LOG_FOLDER}`,
  `ReadOnlyPaths=${CONFIG_FOLDER}`,
  "ProtectHome=yes",
  "PrivateTmp=yes",
  // Request bodies are kept there while they come in; /tmp may be in memory.
  "Environment=TMPDIR=/var/tmp",
  "PrivateDevices=yes",
  "PrivateIPC=yes",
  "ProtectProc=invisible",
  "ProcSubset=pid",
  "ProtectClock=yes",
  "ProtectHostname=yes",
  "ProtectControlGroups=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "RemoveIPC=yes",
  "LockPersonality=yes",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
  "SystemCallFilter=~@privileged",
  "SystemCallErrorNumber=EPERM",
  "UMask=0027",
];

/** A complete unit, for an installation without a package of its own. */
export function renderUnit(python: string, configFiles: readonly string[]): string {
  const start = [python, "-m synapse.app.homeserver", ...configFiles.map((file) => `--config-path=${file}`)];
  return [
    "[Unit]",
    "Description=Synapse, a Matrix homeserver",
    "Documentation=https://element-hq.github.io/synapse/latest/",
    "Wants=network-online.target",
    "After=network-online.target postgresql.service",
    "",
    "[Service]",
    "Type=notify",
    `User=${USER}`,
    `Group=${USER}`,
    `WorkingDirectory=${DATA_FOLDER}`,
    `ExecStart=${start.join(" ")}`,
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

/** What is added to the vendor package's own unit, which has no confinement. */
export function renderUnitOverride(): string {
  return ["[Service]", ...HARDENING, ""].join("\n");
}
