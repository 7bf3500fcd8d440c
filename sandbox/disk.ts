import fs, { constants } from "node:fs/promises";
import path from "node:path";
import { SandboxError } from "./errors";
import { run, tryRun } from "./process";
import { exists } from "./state";

const BTRFS = 0x9123683e;
/** Inode number of the root of every btrfs subvolume. */
const SUBVOLUME_ROOT = 256;

/** Two commands may come to need the disk at once, before there is a directory for locks. */
const LOCK = "/run/hearth-sandbox-disk.lock";

/**
 * $1: the sandbox's directory. Hosts are made and thrown away all the time, each of some ten thousand files: a copy on ext4
 * costs a second, and its inodes are slow to be found again for minutes after; a snapshot costs nothing. A host's data is
 * not worth a flush of this machine's disk: it has to survive the end of a host, not of this machine.
 */
const MOUNT = `
root=$1 disk=$1.btrfs
! mountpoint -q "$root" || exit 0
if [ ! -e "$disk" ]; then
  [ ! -e "$root" ] || exit 0
  grep -qw btrfs /proc/filesystems || modprobe -q btrfs || exit 0
  mkdir -p "$(dirname "$root")"
  free=$(df -k --output=avail "$(dirname "$root")" | tail -n 1)
  # Too small to be worth it: what the images alone need.
  [ "$free" -ge 10000000 ] || exit 0
  rm -f "$disk.new"
  # It takes what is written to it, and 64 GiB at most: room for some thirty hosts.
  size=$((free * 9 / 10))
  [ "$size" -le 67108864 ] || size=67108864
  (umask 077 && truncate -s "\${size}K" "$disk.new")
  if ! { mkfs.btrfs -q -K -m single -d single "$disk.new" && mkdir "$root" && mount -o "$2" "$disk.new" "$root"; }; then
    rmdir "$root" || true
    rm -f "$disk.new"
    exit 0
  fi
  chmod 0700 "$root"
  mv "$disk.new" "$disk"
  exit 0
fi
mkdir -p "$root"
mount -o "$2" "$disk" "$root"
`;
const OPTIONS = "loop,noatime,nodatacow,nobarrier";

/**
 * Mounts the file that a sandbox keeps everything in, `<directory>.btrfs`. It is made when the directory is not there yet
 * and this machine can; a directory that is there is used as it is. Then trees are copied file by file. `make: false` mounts one that is there.
 */
export async function mountDisk(root: string, { make = true } = {}): Promise<void> {
  if (!make && !(await exists(`${root}.btrfs`))) return;
  const { code, stderr } = await tryRun("flock", [LOCK, "sh", "-eu", "-c", MOUNT, "sh", root, OPTIONS]);
  if (code !== 0) {
    throw new SandboxError(
      `the sandbox's disk ${root}.btrfs cannot be mounted; to begin with an empty one, remove that file. mount says:\n  ${stderr.trim()}`,
    );
  }
}

/** Makes an empty directory that {@link copyTree} can copy at no cost where the file system knows how. */
export async function makeTree(directory: string): Promise<void> {
  if (await onBtrfs(path.dirname(directory))) await run("btrfs", ["subvolume", "create", directory]);
  else await fs.mkdir(directory);
}

/** Copies a tree with everything that belongs to it, to a path that is not there yet. */
export async function copyTree(from: string, to: string): Promise<void> {
  if (await isSubvolume(from)) await run("btrfs", ["subvolume", "snapshot", from, to]);
  else await run("cp", ["-a", "--reflink=auto", from, to]);
}

/** Moves a tree, also out of a host. */
export async function moveTree(from: string, to: string): Promise<void> {
  const moved = await fs.rename(from, to).then(
    () => true,
    (error) => {
      if (error.code === "EXDEV") return false;
      throw error;
    },
  );
  if (moved) return;
  const half = `${to}.new`;
  await removeTree(half);
  await makeTree(half);
  await run("cp", ["-a", "--reflink=auto", `${from}/.`, half]);
  await fs.rename(half, to);
  await removeTree(from);
}

/** Gives a file a second name or, in another tree, a copy; what has that name already stays. */
export async function shareFile(from: string, to: string): Promise<void> {
  const unlessThere = (error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST" && error.code !== "ENOENT") throw error;
  };
  await fs.link(from, to).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EXDEV") return unlessThere(error);
    // Under another name first: apt would take half a package for one.
    const half = `${to}.${process.pid}.new`;
    await fs.copyFile(from, half, constants.COPYFILE_FICLONE).catch(unlessThere);
    await fs.rename(half, to).catch(unlessThere);
  });
}

/** Removes a directory tree, if it is there, after unmounting what may be mounted in it. */
export async function removeTree(directory: string): Promise<void> {
  const mounts = (await fs.readFile("/proc/self/mounts", "utf8"))
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((point) => point.startsWith(`${directory}/`));
  for (const point of mounts.reverse()) await run("umount", ["--lazy", point]);
  for (const tree of await fs.readdir(directory).catch(() => [])) {
    await removeSubvolume(path.join(directory, tree));
  }
  if (!(await removeSubvolume(directory))) await run("rm", ["-rf", "--one-file-system", directory]);
}

/** Removes a subvolume with what is nested in it; false when it is none. */
async function removeSubvolume(directory: string): Promise<boolean> {
  if (!(await isSubvolume(directory))) return false;
  if ((await tryRun("btrfs", ["subvolume", "delete", directory])).code === 0) return true;
  const nested = ["-mindepth", "1", "-xdev", "-type", "d", "-inum", String(SUBVOLUME_ROOT), "-print0"];
  for (const tree of (await run("find", [directory, ...nested])).split("\0").filter(Boolean)) {
    await removeSubvolume(tree);
  }
  await run("btrfs", ["subvolume", "delete", directory]);
  return true;
}

async function onBtrfs(directory: string): Promise<boolean> {
  return (await fs.statfs(directory).catch(() => undefined))?.type === BTRFS;
}

async function isSubvolume(directory: string): Promise<boolean> {
  const found = await fs.lstat(directory).catch(() => undefined);
  return found?.isDirectory() === true && found.ino === SUBVOLUME_ROOT && (await onBtrfs(directory));
}
