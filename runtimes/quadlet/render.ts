import type { Container, ContainerHealth, Mount, PublishedPort, Timer } from "../container";
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
 * Quadlet would let every unit wait for the machine's network-online.target, up to 90 s where nothing reaches it. Ours need
 * no network to start: they listen on loopback, and what talks to others tries again.
 */
const WITHOUT_WAIT: Section = ["Quadlet", [["DefaultDependencies", false]]];
/**
 * Every container requires its network and its volumes. One of them that failed once (after a boot many ask Podman's database at
 * the same time) would take the start of the container along, which systemd then never tries again: so they themselves are
 * tried until it works, and whoever waits goes on waiting (`direct`, since systemd 254).
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
/** While a service starts it is asked so often. */
const STARTUP_INTERVAL_SECONDS = 1;
/** What Podman itself needs to end a container, over the container's own time. */
const REMOVAL_SECONDS = 15;

/**
 * A `.container` file for Quadlet.
 * @throws Error for a name, path or image that could be read as something else
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

/** A `.network` file: containers on it know each other by name and reach the outside. */
export function renderNetwork(): string {
  return render("the network of Hearth's containers", [
    ["Unit", [["Description", "Hearth: network of the containers"], NO_LIMIT]],
    WITHOUT_WAIT,
    ["Network", [["NetworkName", NETWORK]]],
    TRIED_AGAIN,
  ]);
}

/** A `.volume` file: kept by Podman, shared by the containers that name it. */
export function renderVolume(name: string): string {
  return render("a volume that containers share", [
    ["Unit", [["Description", `Hearth: volume ${safe(name, NAME)}`], NO_LIMIT]],
    WITHOUT_WAIT,
    ["Volume", [["VolumeName", safe(name, NAME)]]],
    TRIED_AGAIN,
  ]);
}

/** A timer, a plain unit of systemd, for the job of the same name. */
export function renderTimer(timer: Timer): string {
  return render("starts a job", [
    ["Unit", [["Description", text(timer.description)]]],
    [
      "Timer",
      [
        ...timesOf(timer.when),
        ["RandomizedDelaySec", timer.randomDelaySeconds],
        ["Unit", `${safe(timer.name, NAME)}.service`],
      ],
    ],
    ["Install", [["WantedBy", "timers.target"]]],
  ]);
}

function timesOf(when: Timer["when"]): Option[] {
  if ("calendar" in when) {
    return [
      ["OnCalendar", text(when.calendar)],
      ["Persistent", true],
    ];
  }
  return [
    ["OnBootSec", when.bootSeconds],
    ...(when.everySeconds === undefined ? [] : ([["OnUnitInactiveSec", when.everySeconds]] as const)),
  ];
}

function unitOptions({ description, after, kind }: Container): Option[] {
  const units = after.map((unit) => safe(unit, NAME));
  return [
    ["Description", text(description)],
    // A job must not start what somebody has stopped.
    // A new listener goes to a new start only; other units come and go without this one.
    ...(kind === "service"
      ? units.map((unit): Option => [unit.endsWith(".socket") ? "Requires" : "Wants", unit])
      : []),
    ...units.map((unit): Option => ["After", unit]),
    // After a crash it is started again, however often.
    ...(kind === "service" ? ([["StartLimitIntervalSec", 0]] as const) : []),
  ];
}

function containerOptions(container: Container): Option[] {
  return [
    ["ContainerName", safe(container.name, NAME)],
    ["Image", safe(container.image, IMAGE)],
    // Pulling is a step of its own, before anything is swapped.
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
    // The machine's journal keeps it, with its limits. A job writes there itself: Podman would copy each line a second time.
    ["LogDriver", container.kind === "service" ? "journald" : "passthrough"],
  ];
}

/** Each option on a line of its own: a preview shows the one that changes, and cuts long lines off. */
function commandLine(command: readonly string[]): string {
  return command
    .map(word)
    .map((text, index) => (index > 0 && text.startsWith("--") ? `\\\n  ${text}` : text))
    .join(" ");
}

const NETWORKS = { hearth: `${NETWORK}.network`, outside: "pasta", none: "none" } as const;

/** What holds without root too: the kernel enforces each of these for a user's own containers. */
function confinement(container: Container): Option[] {
  const { uid, gid, tmpfs } = container;
  return [
    // The image's user is the login user outside: he can read what it writes, and it is nobody else.
    ["UserNS", `keep-id:uid=${uid},gid=${gid}`],
    ["User", uid],
    ["Group", gid],
    ["ReadOnly", true],
    // Brings /tmp, /var/tmp, /run and /dev/shm in memory.
    ["ReadOnlyTmpfs", true],
    ...tmpfs.map((path): Option => ["Tmpfs", `${safe(path, PATH)}:rw,nosuid,nodev,noexec`]),
    ["NoNewPrivileges", true],
    ["DropCapability", droppedCapabilities(container).join(" ")],
  ];
}

/** What Podman would leave a container otherwise. */
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

/** All, or all by name but some: what is dropped and added again, the process would have, not only its bounds. */
export function droppedCapabilities({
  boundingCapabilities = [],
}: Pick<Container, "boundingCapabilities">): string[] {
  const kept: readonly string[] = boundingCapabilities;
  return kept.length === 0 ? ["all"] : DEFAULT_CAPABILITIES.filter((name) => !kept.includes(name));
}

/** A mount as Quadlet takes it: a volume by its file, which makes the unit wait for it. */
function quadletMount(mount: Mount): string {
  const isVolume = mount.source.endsWith(VOLUME);
  return isVolume ? mountOf(mount).replace(":", `${VOLUME}:`) : mountOf(mount);
}

/** A mount as Podman takes it. */
export function mountOf({ source, target, readOnly }: Mount): string {
  const isVolume = source.endsWith(VOLUME);
  const from = isVolume ? safe(source.slice(0, -VOLUME.length), NAME) : safe(source, PATH);
  return [from, safe(target, PATH), readOnly ? "ro" : "rw"].join(":");
}

/** A secret as Podman takes it: a file that only the container's user can read. */
export function secretOf({ uid, gid }: Pick<Container, "uid" | "gid">, file: string, secret: string): string {
  const access = `uid=${uid},gid=${gid},mode=0400`;
  return `${safe(secret, NAME)},type=mount,target=${safe(file, NAME)},${access}`;
}

function portOf({ address, port, containerPort }: PublishedPort): string {
  const host = safe(address, ADDRESS);
  return `${host.includes(":") ? `[${host}]` : host}:${port}:${containerPort}`;
}

/** Started means healthy. At its start a service is asked every second, for as long as systemd lets it start. */
function healthOptions({ command, intervalSeconds, timeoutSeconds }: ContainerHealth): Option[] {
  const program = literal(JSON.stringify(command));
  return [
    ["HealthStartupCmd", program],
    ["HealthStartupInterval", `${STARTUP_INTERVAL_SECONDS}s`],
    // 0: as often as it takes.
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
    // Of the unit, in whose control group the container lives: Podman's own limits need more rights.
    ["MemoryMax", `${container.memoryMiB}M`],
    ["MemorySwapMax", `${container.memoryMiB}M`],
    ["TasksMax", container.pids],
  ];
}

function reloadOf({ name }: Container, command: readonly string[]): string {
  return ["/usr/bin/podman", "exec", safe(name, NAME), ...command.map(word)].join(" ");
}
