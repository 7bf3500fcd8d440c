import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { run } from "../toolchain/support";

const { locked }: { locked: (file: string, work: () => Promise<void>) => Promise<void> } =
  require("../../toolchain/process");
const { cacheDir }: { cacheDir: () => string } = require("../../toolchain/pulumi-cli");

/** Major versions of Node that users have, in addition to the one that runs the tests; the exact versions are in the lock file. */
export const NODE_VERSIONS = ["22", "24"] as const;

const LOCK = path.join(__dirname, "node-versions");

/** Folder with that version's `node`, for the start of a PATH. All versions are fetched once for each machine. */
export async function nodeFolder(version: (typeof NODE_VERSIONS)[number]): Promise<string> {
  const lock = fs.readFileSync(path.join(LOCK, "package-lock.json"));
  const digest = createHash("sha256").update(lock).digest("hex").slice(0, 12);
  const folder = path.join(cacheDir(), `node-versions-${digest}`);
  fs.mkdirSync(cacheDir(), { recursive: true });
  await locked(`${folder}.lock`, async () => {
    if (fs.existsSync(folder)) return;
    const half = `${folder}.new`;
    fs.rmSync(half, { recursive: true, force: true });
    fs.cpSync(LOCK, half, { recursive: true });
    const { code, stdout, stderr } = await run("npm", ["ci", "--ignore-scripts", "--no-audit"], {
      cwd: half,
    });
    if (code !== 0) throw new Error(`Node's other versions could not be fetched: ${stdout}${stderr}`);
    fs.renameSync(half, folder);
  });
  return path.join(folder, "node_modules", `node-${version}-${process.arch}`, "bin");
}
