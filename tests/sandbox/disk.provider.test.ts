import { execFileSync } from "node:child_process";
import fs from "node:fs/promises";
import path from "node:path";
import { copyTree, makeTree, mountDisk, moveTree, removeTree, shareFile } from "../../sandbox/disk";
import { exists } from "../../sandbox/state";

let folder: string;
let root: string;

const onDisk = (name: string) => path.join(root, name);
const subvolumes = () =>
  execFileSync("btrfs", ["subvolume", "list", root], { encoding: "utf8" })
    .split("\n")
    .filter(Boolean)
    .map((line) => line.replace(/^.* path /, ""))
    .sort();

beforeAll(async () => {
  folder = await fs.mkdtemp("/var/tmp/hearth-disk-");
  root = path.join(folder, "sandbox");
  await mountDisk(root);
});
afterEach(async () => {
  for (const name of await fs.readdir(root)) await removeTree(onDisk(name));
});
afterAll(async () => {
  execFileSync("umount", [root]);
  await fs.rm(folder, { recursive: true });
});

/** An image of a sandbox, and a host created from it. */
async function hostOfImage() {
  await makeTree(onDisk("image"));
  await fs.writeFile(onDisk("image/file"), "from the image\n", { mode: 0o640 });
  await fs.chown(onDisk("image/file"), 7, 8);
  await fs.mkdir(onDisk("host"));
  await copyTree(onDisk("image"), onDisk("host/root"));
}

it("a host is a snapshot of its image: the same files, and neither sees the other's writes", async () => {
  await hostOfImage();
  expect(await fs.stat(onDisk("host/root/file"))).toMatchObject({ uid: 7, gid: 8, mode: 0o100640 });
  await fs.writeFile(onDisk("host/root/file"), "changed\n");
  expect(await fs.readFile(onDisk("image/file"), "utf8")).toBe("from the image\n");
  expect(subvolumes()).toEqual(["host/root", "image"]);
});

it("a host is removed with everything nested in it; its image stays", async () => {
  await hostOfImage();
  await makeTree(onDisk("host/root/store"));
  await makeTree(onDisk("host/root/store/deeper"));
  await fs.writeFile(onDisk("host/root/store/deeper/file"), "x");
  await removeTree(onDisk("host"));
  expect(subvolumes()).toEqual(["image"]);
  expect(await exists(onDisk("host"))).toBe(false);
});

it("complete trees can be copied out of a host, and files into another one", async () => {
  await hostOfImage();
  await fs.mkdir(onDisk("host/root/store"));
  await fs.writeFile(onDisk("host/root/store/layer"), "a layer\n");
  await fs.chown(onDisk("host/root/store"), 1000, 1000);
  await moveTree(onDisk("host/root/store"), onDisk("store"));
  expect(await exists(onDisk("host/root/store"))).toBe(false);
  expect(await fs.readFile(onDisk("store/layer"), "utf8")).toBe("a layer\n");
  expect(await fs.stat(onDisk("store"))).toMatchObject({ uid: 1000, gid: 1000 });
  await shareFile(onDisk("store/layer"), onDisk("host/root/layer"));
  // A second time nothing happens.
  await shareFile(onDisk("image/file"), onDisk("host/root/layer"));
  expect(await fs.readFile(onDisk("host/root/layer"), "utf8")).toBe("a layer\n");
  expect(await fs.readdir(onDisk("host/root"))).toEqual(["file", "layer"]);
});

it("the disk is mounted again after a restart of the machine", async () => {
  await fs.writeFile(onDisk("kept"), "x");
  execFileSync("umount", [root]);
  expect(await exists(onDisk("kept"))).toBe(false);
  await mountDisk(root, { make: false });
  expect(await exists(onDisk("kept"))).toBe(true);
});

it("an existing directory is used unchanged, and copied file by file", async () => {
  const plain = path.join(folder, "plain");
  await fs.mkdir(plain);
  await mountDisk(plain);
  expect(await exists(`${plain}.btrfs`)).toBe(false);
  await makeTree(path.join(plain, "image"));
  await fs.writeFile(path.join(plain, "image/file"), "x");
  await copyTree(path.join(plain, "image"), path.join(plain, "host"));
  expect(await fs.readdir(path.join(plain, "host"))).toEqual(["file"]);
  await removeTree(path.join(plain, "host"));
  expect(await fs.readdir(plain)).toEqual(["image"]);
});

it("a disk that cannot be mounted is an error with a fix, and nothing is created instead", async () => {
  const broken = path.join(folder, "broken");
  await fs.writeFile(`${broken}.btrfs`, "no file system\n");
  await expect(mountDisk(broken)).rejects.toThrow(
    /disk .*broken\.btrfs cannot be mounted: [\s\S]*\n {2}fix: to start with an empty disk, remove that file/,
  );
});
