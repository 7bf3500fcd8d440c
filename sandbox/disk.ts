import fs, { constants } from "node:fs/promises";
import path from "node:path";
import { SandboxError } from "./errors";
import { run, tryRun } from "./process";
import { exists } from "./state";

const BTRFS = 0x9123683e;
/** Inode number of the root of every btrfs subvolume. */
const SUBVOLUME_ROOT = 256;

/** Two commands may need the disk at the same time, before there is a directory for locks. */
const LOCK = "/run/hearth-sandbox-disk.lock";

/**
 * $1: the sandbox's directory. Hosts are created and removed all the time, each with some ten thousand files: a copy on ext4
 * costs a second, and lookups of its inodes are slow for minutes; a snapshot costs nothing. A host's data is
 * not flushed to this machine's disk: it must survive the end of a host, not of this machine.
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
 * Mounts the file `<directory>.btrfs`, which contains everything of a sandbox. The file is created if the directory does not exist
 * and this machine supports it; an existing directory is used unchanged, and trees are copied file by file. `make: false` only mounts an existing file.
 */
export async function mountDisk(root: string, { make = true } = {}): Promise<void> {
  if (!make && !(await exists(`${root}.btrfs`))) return;
  const { code, stderr } = await tryRun("flock", [LOCK, "sh", "-eu", "-c", MOUNT, "sh", root, OPTIONS]);
  if (code !== 0) {
    throw new SandboxError(
      `the sandbox's disk ${root}.btrfs cannot be mounted: ${stderr.trim()}\n  fix: to start with an empty disk, remove that file`,
    );
  }
}

/** Creates an empty directory that {@link copyTree} can copy at no cost if the file system supports it. */
export async function makeTree(directory: string): Promise<void> {
  if (await onBtrfs(path.dirname(directory))) await run("btrfs", ["subvolume", "create", directory]);
  else await fs.mkdir(directory);
}

/** Copies a tree with all metadata to a new path. */
export async function copyTree(from: string, to: string): Promise<void> {
  if (await isSubvolume(from)) await run("btrfs", ["subvolume", "snapshot", from, to]);
  else await run("cp", ["-a", "--reflink=auto", from, to]);
}

/** Like {@link copyTree}, with the subvolumes that are nested in it (a snapshot has empty directories in their places), as one tree. */
export async function copyWholeTree(from: string, to: string): Promise<void> {
  await copyTree(from, to);
  if (!(await isSubvolume(from))) return;
  for (const tree of await nestedSubvolumes(from)) {
    const copy = path.join(to, path.relative(from, tree));
    await fs.rmdir(copy);
    await run("cp", ["-a", "--reflink=auto", tree, copy]);
  }
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

/** Links a file to a second name or, in another tree, copies it; an existing file of that name stays. */
export async function shareFile(from: string, to: string): Promise<void> {
  const unlessThere = (error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST" && error.code !== "ENOENT") throw error;
  };
  await fs.link(from, to).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EXDEV") return unlessThere(error);
    // Under another name first: apt would treat an incomplete package as complete.
    const half = `${to}.${process.pid}.new`;
    await fs.copyFile(from, half, constants.COPYFILE_FICLONE).catch(unlessThere);
    await fs.rename(half, to).catch(unlessThere);
  });
}

/** Removes a directory tree, if it exists, after unmounting everything in it. */
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

/** Removes a subvolume and the ones nested in it; false if it is not a subvolume. */
async function removeSubvolume(directory: string): Promise<boolean> {
  if (!(await isSubvolume(directory))) return false;
  if ((await tryRun("btrfs", ["subvolume", "delete", directory])).code === 0) return true;
  for (const tree of await nestedSubvolumes(directory)) await removeSubvolume(tree);
  await run("btrfs", ["subvolume", "delete", directory]);
  return true;
}

/** The subvolumes directly in a subvolume: another one is another device. */
async function nestedSubvolumes(directory: string): Promise<string[]> {
  const nested = ["-mindepth", "1", "-xdev", "-type", "d", "-inum", String(SUBVOLUME_ROOT), "-print0"];
  return (await run("find", [directory, ...nested])).split("\0").filter(Boolean);
}

async function onBtrfs(directory: string): Promise<boolean> {
  return (await fs.statfs(directory).catch(() => undefined))?.type === BTRFS;
}

async function isSubvolume(directory: string): Promise<boolean> {
  const found = await fs.lstat(directory).catch(() => undefined);
  return found?.isDirectory() === true && found.ino === SUBVOLUME_ROOT && (await onBtrfs(directory));
}
