import type { Container, ContainerHealth, Mount, PublishedPort } from "../container";
import { NETWORK } from "../container";
import {
  ADDRESS,
  IMAGE,
  literal,
  NAME,
  type Option,
  PATH,
  render,
  type Section,
  safe,
  text,
  VARIABLE,
  word,
} from "../unit";

/**
 * By default every Quadlet unit waits for the host's network-online.target, up to 90 s if nothing reaches it. Our containers
 * need no network to start: they listen on loopback, and try again to connect to others.
 */
const WITHOUT_WAIT: Section = ["Quadlet", [["DefaultDependencies", false]]];
/**
 * Every container requires its network and its volumes. Their units can fail once, because many of them use Podman's database
 * at the same time after a boot. The start of the container would fail with them, and systemd would never try it again. So
 * systemd tries these units until they start, and units that wait for them keep waiting (`direct`, since systemd 254).
 */
const TRIED_AGAIN: Section = [
  "Service",
  [
    ["Restart", "on-failure"],
    ["RestartMode", "direct"],
    ["RestartSec", 1],
  ],
];
const NO_LIMIT: Option = ["StartLimitIntervalSec", 0];
const VOLUME = ".volume";
/** From the end of a service to its next start. */
const RESTART_SECONDS = 3;
/** Time between two health checks of a service that is starting. */
const STARTUP_INTERVAL_SECONDS = 1;
/** How long Podman itself takes to remove a container, in addition to the container's own time to stop. */
const REMOVAL_SECONDS = 15;

/**
 * A `.container` file for Quadlet.
 * @throws Error for a name, path or image that Quadlet could misread
 */
export function renderContainer(container: Container): string {
  const service = container.kind === "service";
  return render("a change here restarts the container", [
    ["Unit", unitOptions(container)],
    WITHOUT_WAIT,
    ["Container", containerOptions(container)],
    ["Service", serviceOptions(container)],
    ...(service ? [["Install", [["WantedBy", "default.target"]]] as const] : []),
  ]);
}

/** A `.network` file: its containers reach each other by name, and reach the outside. */
export function renderNetwork(): string {
  return render("the network of Hearth's containers", [
    ["Unit", [["Description", "Hearth: network of the containers"], NO_LIMIT]],
    WITHOUT_WAIT,
    ["Network", [["NetworkName", NETWORK]]],
    TRIED_AGAIN,
  ]);
}

/** A `.volume` file: Podman keeps the volume, and the containers that name it share it. */
export function renderVolume(name: string): string {
  return render("a volume that containers share", [
    ["Unit", [["Description", `Hearth: volume ${safe(name, NAME)}`], NO_LIMIT]],
    WITHOUT_WAIT,
    ["Volume", [["VolumeName", safe(name, NAME)]]],
    TRIED_AGAIN,
  ]);
}

function unitOptions({ description, after, kind }: Container): Option[] {
  const units = after.map((unit) => safe(unit, NAME));
  return [
    ["Description", text(description)],
    // A job must not start a unit that somebody has stopped, so it only waits (After).
    // A service gets a new listener only when it restarts (Requires); other units restart without it (Wants).
    ...(kind === "service"
      ? units.map((unit): Option => [unit.endsWith(".socket") ? "Requires" : "Wants", unit])
      : []),
    ...units.map((unit): Option => ["After", unit]),
    // systemd restarts it after a crash, without a limit.
    ...(kind === "service" ? ([["StartLimitIntervalSec", 0]] as const) : []),
  ];
}

function containerOptions(container: Container): Option[] {
  return [
    ["ContainerName", safe(container.name, NAME)],
    ["Image", safe(container.image, IMAGE)],
    // A separate step has pulled the image, before any file was replaced.
    ["Pull", "never"],
    ...(container.entrypoint === undefined
      ? []
      : ([["Entrypoint", safe(container.entrypoint, PATH)]] as const)),
    ...(container.command === undefined ? [] : ([["Exec", commandLine(container.command)]] as const)),
    ...confinement(container),
    ...Object.entries(container.environment).map(
      ([name, value]): Option => ["Environment", word(`${safe(name, VARIABLE)}=${value}`)],
    ),
    ...container.mounts.map((mount): Option => ["Volume", quadletMount(mount)]),
    ...Object.entries(container.secrets).map(
      ([file, secret]): Option => ["Secret", secretOf(container, file, secret)],
    ),
    ["Network", NETWORKS[container.network]],
    ...container.publish.map((port): Option => ["PublishPort", portOf(port)]),
    ...(container.health === undefined ? [] : healthOptions(container.health)),
    ["StopTimeout", container.stopSeconds],
    // The host's journal keeps the log and limits its size. A job writes there directly: Podman would copy each line again.
    ["LogDriver", container.kind === "service" ? "journald" : "passthrough"],
  ];
}

/** Each option on a separate line: a preview shows the lines that change, and cuts off long lines. */
function commandLine(command: readonly string[]): string {
  return command
    .map(word)
    .map((text, index) => (index > 0 && text.startsWith("--") ? `\\\n  ${text}` : text))
    .join(" ");
}

const NETWORKS = { hearth: `${NETWORK}.network`, outside: "pasta", none: "none" } as const;

/** Confinement that also works without root: the kernel enforces each option for rootless containers. */
function confinement(container: Container): Option[] {
  const { uid, gid, tmpfs } = container;
  return [
    // On the host the image's user is the login user, so the login user can read its files.
    ["UserNS", `keep-id:uid=${uid},gid=${gid}`],
    ["User", uid],
    ["Group", gid],
    ["ReadOnly", true],
    // Mounts /tmp, /var/tmp, /run and /dev/shm in memory.
    ["ReadOnlyTmpfs", true],
    ...tmpfs.map((path): Option => ["Tmpfs", `${safe(path, PATH)}:rw,nosuid,nodev,noexec`]),
    ["NoNewPrivileges", true],
    ["DropCapability", droppedCapabilities(container).join(" ")],
  ];
}

/** The capabilities that a container has by default. */
const DEFAULT_CAPABILITIES = [
  ...[
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
  ],
  ...["SETUID", "SYS_CHROOT", "NET_RAW", "MKNOD", "AUDIT_WRITE"],
];

/** All, or the default ones except those to keep: after `drop all` and `add`, the process itself would have the added ones. */
export function droppedCapabilities({
  boundingCapabilities = [],
}: Pick<Container, "boundingCapabilities">): string[] {
  const kept: readonly string[] = boundingCapabilities;
  return kept.length === 0 ? ["all"] : DEFAULT_CAPABILITIES.filter((name) => !kept.includes(name));
}

/** A mount for Quadlet. It names a volume by its `.volume` file, so that the unit waits for the volume. */
function quadletMount(mount: Mount): string {
  const isVolume = mount.source.endsWith(VOLUME);
  return isVolume ? mountOf(mount).replace(":", `${VOLUME}:`) : mountOf(mount);
}

/** A mount for Podman. */
export function mountOf({ source, target, readOnly }: Mount): string {
  const isVolume = source.endsWith(VOLUME);
  const from = isVolume ? safe(source.slice(0, -VOLUME.length), NAME) : safe(source, PATH);
  return [from, safe(target, PATH), readOnly ? "ro" : "rw"].join(":");
}

/** A secret for Podman: a file that only the container's user can read. */
export function secretOf({ uid, gid }: Pick<Container, "uid" | "gid">, file: string, secret: string): string {
  const access = `uid=${uid},gid=${gid},mode=0400`;
  return `${safe(secret, NAME)},type=mount,target=${safe(file, NAME)},${access}`;
}

function portOf({ address, port, containerPort }: PublishedPort): string {
  const host = safe(address, ADDRESS);
  return `${host.includes(":") ? `[${host}]` : host}:${port}:${containerPort}`;
}

/** A service has started when it is healthy. While it starts, Podman checks it every second until systemd's time limit. */
function healthOptions({ command, intervalSeconds, timeoutSeconds }: ContainerHealth): Option[] {
  const program = literal(JSON.stringify(command));
  return [
    ["HealthStartupCmd", program],
    ["HealthStartupInterval", `${STARTUP_INTERVAL_SECONDS}s`],
    // 0: without a limit.
    ["HealthStartupRetries", 0],
    ["HealthCmd", program],
    ["HealthInterval", `${intervalSeconds}s`],
    ["HealthTimeout", `${timeoutSeconds}s`],
    ["HealthRetries", 3],
    ["Notify", "healthy"],
  ];
}

function serviceOptions(container: Container): Option[] {
  return [
    ...(container.kind === "service"
      ? ([
          ["Restart", "always"],
          ["RestartSec", RESTART_SECONDS],
        ] as const)
      : ([
          ["Type", "oneshot"],
          ["Restart", "no"],
        ] as const)),
    ...(container.reload === undefined
      ? []
      : ([["ExecReload", reloadOf(container, container.reload)]] as const)),
    ["TimeoutStartSec", container.startSeconds],
    ["TimeoutStopSec", container.stopSeconds + REMOVAL_SECONDS],
    // Limits of the unit, whose control group contains the container: Podman's own limits need more privileges.
    ["MemoryMax", `${container.memoryMiB}M`],
    ["MemorySwapMax", `${container.memoryMiB}M`],
    ["TasksMax", container.pids],
  ];
}

function reloadOf({ name }: Container, command: readonly string[]): string {
  return ["/usr/bin/podman", "exec", safe(name, NAME), ...command.map(word)].join(" ");
}
