import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { run, tryRun } from "../sandbox/process";

/** A tool from the Python index in a separate environment, kept between runs. */
export interface PythonTool {
  name: string;
  /** Directory with its programs. */
  bin: string;
  version: string;
}

/** Installs `requirement` (with an exact version) unless an earlier run has installed it. */
export async function pythonTool(name: string, requirement: string): Promise<PythonTool> {
  const cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
  const directory = path.join(cache, "hearth/bench", requirement);
  const bin = path.join(directory, "bin");
  const version = requirement.split("==")[1] ?? "";
  const done = path.join(directory, ".complete");
  if ((await tryRun("test", ["-e", done])).code !== 0) {
    await fs.rm(directory, { recursive: true, force: true });
    await run("python3", ["-m", "venv", directory]);
    await run(path.join(bin, "pip"), ["install", "--quiet", "--disable-pip-version-check", requirement]);
    await fs.writeFile(done, "");
  }
  return { name, bin, version };
}
