// Refuses a program run by an engine that keeps its state elsewhere than this project does. Pulumi.yaml says
// `file://.hearth/state`, which the CLI reads from where it was started, while it looks for Pulumi.yaml in the folders above as
// well: from a folder below it begins with a second, empty state, and would make everything again that the first one has.
const fs = require("node:fs");
const path = require("node:path");

/** Directory that a `file://` url means for one who works in `from`; undefined for every other url. */
function directoryOf(url, from) {
  const found = /^file:\/\/(?!~)([^?]*)/.exec(url ?? "");
  return found ? path.resolve(from, found[1]) : undefined;
}

/** Where the engine that started this program works: the nearest of our ancestors named pulumi. Undefined where nobody can tell. */
function engineDirectory() {
  try {
    for (let pid = process.ppid; pid > 1; ) {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
      const [, name, parent] = /\((.*)\) \S (\d+)/.exec(stat);
      if (name === "pulumi") return fs.readlinkSync(`/proc/${pid}/cwd`);
      pid = Number(parent);
    }
  } catch {
    // No /proc, or somebody else's process.
  }
  return undefined;
}

/**
 * What is wrong with where the state is, or undefined.
 * @param {string} project the directory of Pulumi.yaml
 * @param {string | undefined} engine the directory that the engine works in
 */
function secondState(project, engine) {
  if (engine === undefined) return undefined;
  const settings = fs.readFileSync(path.join(project, "Pulumi.yaml"), "utf8");
  const url = process.env.PULUMI_BACKEND_URL || /^backend:\n(?:[ #].*\n)*? +url: *(\S+)/m.exec(settings)?.[1];
  const [used, own] = [directoryOf(url, engine), directoryOf(url, project)];
  if (used === own) return undefined;
  return [
    `the state would be kept in ${used}, not in ${own}: pulumi was started in ${engine}`,
    "  now: nothing was touched; a second state knows nothing of what the first has made",
    `  fix: start it in ${project}, or from anywhere in it with npm run pulumi -- …; remove ${used} if nothing else uses it`,
  ].join("\n");
}

/** Throws what the engine prints without a stack trace. */
function requireOneState(project) {
  const problem = secondState(project, engineDirectory());
  if (problem === undefined) return;
  const { RunError } = require("@pulumi/pulumi");
  throw new RunError(problem);
}

module.exports = { requireOneState };
