import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs/promises";
import path from "node:path";
import { SandboxError } from "./errors";
import { removeCable } from "./network";
import { run, sleep, tryRun } from "./process";
import { exists, type StateDirectory } from "./state";

/** The data of a host for its container. */
export interface Container {
  name: string;
  /** Machine name for nspawn; short, because the cable on the bridge is called `vb-<machine>`. */
  machine: string;
  /** The host's directory in the state directory: `root/` and `console.log`. */
  directory: string;
}

/**
 * Starts nspawn again after a reboot from inside (exit code 133), each time in the host's own cgroups. Otherwise
 * all hosts would share one "payload" cgroup, and stopping a service in one would kill it in the others.
 */
const SUPERVISE = `
while :; do
  sh -c 'for group in $0; do mkdir -p "$group" && echo $$ >"$group/cgroup.procs"; done; exec "$@"' "$@"
  [ $? -eq 133 ] || exit
done`;

/** The sandbox's own device nodes, open to every user as on a normal host (rootless Podman). */
const DEVICES = [
  { name: "fuse", at: "/dev/fuse", minor: "229" },
  { name: "tun", at: "/dev/net/tun", minor: "200" },
];

/** Boots the container in the background. Returns at once; the log of its console is `console.log`. */
export async function startContainer(state: StateDirectory, container: Container): Promise<void> {
  // Without modprobe there are no modules: the kernel has these built in, or the boot reports the missing one.
  await tryRun("modprobe", ["-qa", "overlay", "fuse", "tun", "veth", "bridge"]).catch(() => undefined);
  await clearRemains(container);
  const log = path.join(container.directory, "console.log");
  const command = await nspawnCommand(state, container);
  if (await exists("/run/systemd/system")) {
    const unit = unitName(state, container);
    const properties = [
      ...[
        "Type=exec",
        "Delegate=yes",
        "KillMode=mixed",
        "RestartForceExitStatus=133",
        "SuccessExitStatus=133",
      ],
      ...[`StandardOutput=append:${log}`, "StandardError=inherit"],
    ];
    await tryRun("systemctl", ["reset-failed", `${unit}.service`]);
    await run("systemd-run", [
      ...["--quiet", "--collect", `--unit=${unit}`, "--setenv=SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1"],
      ...properties.map((property) => `--property=${property}`),
      ...command,
    ]);
    return;
  }
  const groups = (await cgroupTrees()).map((tree) =>
    path.join(tree, `hearth-sandbox-${state.tag}`, container.name),
  );
  const output = await fs.open(log, "a");
  const child = spawn("sh", ["-c", SUPERVISE, "hearth-sandbox", groups.join(" "), ...command], {
    cwd: "/",
    detached: true,
    stdio: ["ignore", output.fd, output.fd],
    env: { PATH: process.env.PATH, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" },
  });
  await once(child, "spawn");
  await output.close();
  child.unref();
}

async function nspawnCommand(state: StateDirectory, container: Container): Promise<string[]> {
  const binds: string[] = [`--bind=${state.path("cache", "pip")}:/var/cache/pip`];
  for (const { name, at, minor } of DEVICES) {
    const node = state.path("devices", name);
    if (!(await exists(node))) await run("mknod", ["--mode=0666", node, "c", "10", minor]);
    binds.push(`--bind=${node}:${at}`);
  }
  return [
    "systemd-nspawn",
    ...["--quiet", "--boot", "--register=no", "--keep-unit", "--settings=no", "--console=pipe"],
    ...[
      `--directory=${rootOf(container)}`,
      `--machine=${container.machine}`,
      `--network-bridge=${state.bridge}`,
    ],
    ...["--resolv-conf=off", "--timezone=off", "--link-journal=no"],
    // Hosts share this machine's clock: a host that sets it, or its time zone, would change it for all.
    ...["--capability=all", "--drop-capability=CAP_SYS_TIME"],
    ...["--system-call-filter=@keyring bpf keyctl add_key", ...binds],
  ];
}

/** Process id, seen from this machine, of the container's PID 1; undefined when the container does not run. */
export async function leaderOf(container: Container): Promise<number | undefined> {
  const all = await processes();
  const nspawns = all.filter((entry) => entry.argv.includes(`--directory=${rootOf(container)}`));
  const children = all.filter((entry) => nspawns.some((nspawn) => nspawn.pid === entry.parent));
  return children.find((entry) => !nspawns.includes(entry))?.pid;
}

/** Whether any process of the container runs: a supervisor, nspawn or PID 1. */
export async function isRunning(container: Container): Promise<boolean> {
  return (await managers(container)).length > 0;
}

/** Asks the container's PID 1 for an orderly reboot, like ctrl-alt-del. */
export async function signalReboot(container: Container): Promise<void> {
  const leader = await leaderOf(container);
  if (leader === undefined)
    throw new SandboxError(`the host ${container.name} is not running\n  fix: up ${container.name}`);
  process.kill(leader, "SIGINT");
}

/** Ends every process of the container at once, without any shutdown, and removes its leftovers in the kernel. */
export async function killContainer(state: StateDirectory, container: Container): Promise<void> {
  const started = Date.now();
  while (Date.now() - started < 60_000) {
    const left = await managers(container);
    if (left.length === 0) break;
    // First the processes that would start it again; then PID 1, which ends all processes inside; nspawn then
    // tidies up and ends by itself, and is killed only if it does not.
    for (const entry of left) if (path.basename(entry.argv[0] ?? "") !== "systemd-nspawn") kill(entry.pid);
    const leader = await leaderOf(container);
    if (leader !== undefined) kill(leader);
    if (Date.now() - started > 10_000) for (const entry of left) kill(entry.pid);
    await sleep(30);
  }
  if (await exists("/run/systemd/system")) {
    await tryRun("systemctl", ["stop", `${unitName(state, container)}.service`]);
  }
  await clearRemains(container);
  for (const tree of await cgroupTrees()) {
    const group = path.join(tree, `hearth-sandbox-${state.tag}`);
    if (!(await exists(group))) continue;
    await removeGroups(path.join(group, container.name));
    await fs.rmdir(group).catch(() => undefined);
  }
}

/** Removes a control group and its children; the kernel may keep one for a moment after its last process ended. */
async function removeGroups(group: string): Promise<void> {
  for (let tries = 0; tries < 50 && (await exists(group)); tries++) {
    if (tries > 0) await sleep(100);
    await tryRun("find", [group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
  }
}

/** Removes the leftovers of a killed nspawn: its cable, and directories that would block the next start. */
async function clearRemains(container: Container): Promise<void> {
  await removeCable(container.machine);
  const exported = `/run/systemd/nspawn/unix-export/${container.machine}`;
  if (await exists(exported)) await tryRun("umount", [exported]);
  for (const directory of [exported, `/run/systemd/nspawn/propagate/${container.machine}`]) {
    await fs.rmdir(directory).catch(() => undefined);
  }
}

function rootOf(container: Container): string {
  return path.join(container.directory, "root");
}

function unitName(state: StateDirectory, container: Container): string {
  return `hearth-sandbox-${state.tag}-${container.name}`;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

interface Process {
  pid: number;
  parent: number;
  argv: string[];
}

/** The processes outside the container that keep it running; found by their argument, so a stale pid file does not matter. */
async function managers(container: Container): Promise<Process[]> {
  return (await processes()).filter((entry) => entry.argv.includes(`--directory=${rootOf(container)}`));
}

async function processes(): Promise<Process[]> {
  const pids = (await fs.readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(
    pids.map(async (pid) => {
      try {
        const argv = (await fs.readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
        const stat = await fs.readFile(`/proc/${pid}/stat`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return { pid: Number(pid), parent: Number(fields[1]), argv, zombie: fields[0] === "Z" };
      } catch {
        return undefined;
      }
    }),
  );
  return found.filter((entry) => entry !== undefined && !entry.zombie).map((entry) => entry!);
}

/** The cgroup trees on this machine (without systemd) that systemd in a container uses. */
async function cgroupTrees(): Promise<string[]> {
  const lines = (await fs.readFile("/proc/self/mounts", "utf8")).split("\n").map((line) => line.split(" "));
  return lines.flatMap(([, point = "", type, options = ""]) =>
    type === "cgroup2" || (type === "cgroup" && options.split(",").includes("name=systemd")) ? [point] : [],
  );
}
