import type { Connection } from "../contract/connection";
import type { MachineFacts } from "../contract/host";
import { shellWord } from "../text";

/** What rootless containers need and only the provider has to know, as facts.sh found it. */
export interface RootlessFacts {
  packageManager: "apt" | "pacman";
  /** Packages that are not there. */
  missing: string[];
  /** How many subordinate ids the login user has, for users or groups, whichever is less. */
  subids: number;
  /** The first subordinate id that nobody has. */
  freeSubids: number;
  /** Whether the user's units run without a login. */
  linger: boolean;
  /** systemd's manager of the login user; `stopped`: none runs, but one could. */
  manager: "running" | "stopped" | "masked";
  cgroups: number;
  /** Whether AppArmor keeps ordinary users' programs from using user namespaces. */
  namespaces: "restricted" | "free";
}

/** Why a machine cannot be used, and what to type or change; several faults may share a fix. */
export interface Fault {
  problem: string;
  /** What to change, in words. */
  fix?: string;
  /** Commands for root on the machine. */
  commands?: string[];
}

/** First Podman whose Quadlet knows `Notify=healthy`. */
const LEAST_PODMAN = 5;
/** The first with `RestartMode=direct`, which networks and volumes of containers are tried again with. */
const LEAST_SYSTEMD = 254;
/** Paths that mean nothing else in units and in mounts: no blank, colon, comma, `%` or `$`. */
const PLAIN_PATH = /^\/[A-Za-z0-9._/@+-]+$/;
/** What a user gets by default, and what images expect to find. */
const SUBIDS = 65_536;

/** Everything that keeps rootless containers from running there; with sudo, Hearth fixes what only root can. */
export function rootlessFaults(
  connection: Connection,
  { login, podman, systemd, codename }: MachineFacts,
  seen: RootlessFacts,
): Fault[] {
  const faults: Fault[] = [];
  const { name } = connection;
  if (login.uid === 0) {
    faults.push({
      problem: "the login user is root; runtime quadlet runs containers without root",
      fix: `set hearth:hosts.${name}.user to another user`,
    });
  }
  if (!PLAIN_PATH.test(login.home)) {
    faults.push({
      problem: `the home directory of ${login.user} is ${JSON.stringify(login.home)}; what is in it is mounted into containers, whose units take letters, digits and . _ - + @ / only`,
      fix: `set hearth:hosts.${name}.user to a user with another home directory`,
    });
  }
  if (Number.parseInt(podman, 10) < LEAST_PODMAN || podman === "") {
    faults.push({
      problem: `${podman === "" ? "there is no Podman" : `Podman ${podman} is too old`}: ${LEAST_PODMAN}.0 is needed (Quadlet came with 4.4, its Notify=healthy with 5.0)`,
      fix: `upgrade ${codename} to a release that has it (Debian 13, Ubuntu 26.04), or use runtime: native`,
    });
  }
  if (systemd < LEAST_SYSTEMD) {
    faults.push({
      problem: `systemd ${systemd} is too old: ${LEAST_SYSTEMD} is needed (with older ones a container's network that failed once after a boot leaves the container down)`,
      fix: `upgrade ${codename} to a release that has it (Debian 13, Ubuntu 26.04), or use runtime: native`,
    });
  }
  if (seen.cgroups !== 2) {
    faults.push({
      problem: "it uses cgroups v1; limits of rootless containers need v2",
      fix: "remove systemd.unified_cgroup_hierarchy=0 from the kernel's command line (/etc/default/grub, then update-grub) and reboot",
    });
  }
  if (seen.manager === "masked") {
    faults.push({
      problem: `systemd runs no manager for ${login.user}: user@${login.uid}.service is masked`,
      commands: [`systemctl unmask user@.service user@${login.uid}.service`],
    });
  }
  if (seen.namespaces === "restricted") {
    faults.push({
      problem: `AppArmor keeps the programs of ${login.user} from using user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1); rootless containers are made of them`,
      commands: [
        "echo kernel.apparmor_restrict_unprivileged_userns=0 >/etc/sysctl.d/60-user-namespaces.conf",
        "sysctl --system",
      ],
    });
  }
  return connection.become === "sudo" ? faults : [...faults, ...prerequisiteFaults(login, seen)];
}

/** What the release `rootless` would fix if Hearth could become root. */
function prerequisiteFaults({ user, uid }: MachineFacts["login"], seen: RootlessFacts): Fault[] {
  const faults: Fault[] = [];
  if (seen.missing.length > 0) {
    faults.push({
      problem: `packages are missing: ${seen.missing.join(", ")}`,
      commands: installation(seen),
    });
  }
  if (uid !== 0 && seen.subids < SUBIDS) {
    const range = `${seen.freeSubids}-${seen.freeSubids + SUBIDS - 1}`;
    const had = seen.subids === 0 ? "no subordinate ids" : `only ${seen.subids} subordinate ids`;
    faults.push({
      problem: `${user} has ${had} (/etc/subuid, /etc/subgid); ${SUBIDS} are needed`,
      commands: [`usermod --add-subuids ${range} --add-subgids ${range} ${shellWord(user)}`],
    });
  }
  if (uid !== 0 && !seen.linger) {
    faults.push({
      problem: `the units of ${user} would end with the login and not start at boot`,
      commands: [`loginctl enable-linger ${shellWord(user)}`],
    });
  }
  if (uid !== 0 && seen.linger && seen.manager === "stopped") {
    faults.push({
      problem: `systemd runs no manager for ${user}, although it should`,
      commands: [`systemctl start user@${uid}.service`],
    });
  }
  return faults;
}

function installation({ packageManager, missing }: RootlessFacts): string[] {
  const names = missing.map(shellWord).join(" ");
  if (packageManager === "pacman") return [`pacman -Syu --needed ${names}`];
  return ["apt-get update", `apt-get install --no-install-recommends ${names}`];
}

/** What the stack may take against what the machine has, with the arithmetic. */
export function memoryFaults(memory: Record<string, number>, memoryMiB: number): Fault[] {
  const uses = Object.entries(memory).sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1));
  const needed = uses.reduce((sum, [, mib]) => sum + mib, 0);
  if (needed <= memoryMiB) return [];
  const sum = uses.map(([use, mib]) => `${use} ${mib}`).join(" + ");
  return [
    {
      problem: `too little memory: ${sum} = ${needed} MiB; it has ${memoryMiB} MiB`,
      fix: "give it more memory, or lower the `memory` of services in the stack file",
    },
  ];
}

/** All faults in one message. */
export function faultsMessage(connection: Connection, faults: Fault[]): string {
  const commands = faults.flatMap((fault) => fault.commands ?? []);
  const orSudo = connection.become === "none" && commands.length > 0;
  return [
    `${connection.name} cannot be used as the stack file wants:`,
    ...faults.map(({ problem }) => `  - ${problem}`),
    `  now: nothing was changed on ${connection.name}`,
    ...faults.flatMap(({ fix }) => (fix === undefined ? [] : [`  fix: ${fix}`])),
    ...(commands.length > 0
      ? ["  fix: as root there:", ...commands.map((command) => `      ${command}`)]
      : []),
    ...(orSudo
      ? [`    (with become: sudo in hearth:hosts.${connection.name} Hearth does what of this it can itself)`]
      : []),
  ].join("\n");
}
