// Refuses to run under an engine whose state is not the state of this project. Pulumi.yaml says
// `file://.hearth/state`, which is relative to the CLI's working directory, while the CLI looks for Pulumi.yaml in the folders above as
// well: from a folder below it starts with a second, empty state, and would create everything of the first state again.
const fs = require("node:fs");
const path = require("node:path");

/** Directory of a `file://` url, relative to `from`; undefined for every other url. */
function directoryOf(url, from) {
  const found = /^file:\/\/(?!~)([^?]*)/.exec(url ?? "");
  return found ? path.resolve(from, found[1]) : undefined;
}

/** Working directory of the engine that started this program: our nearest ancestor named pulumi. Undefined if unknown. */
function engineDirectory() {
  try {
    for (let pid = process.ppid; pid > 1; ) {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
      const [, name, parent] = /\((.*)\) \S (\d+)/.exec(stat);
      if (name === "pulumi") return fs.readlinkSync(`/proc/${pid}/cwd`);
      pid = Number(parent);
    }
  } catch {
    // No /proc, or a process of another user.
  }
  return undefined;
}

/**
 * The error if the state is in the wrong directory, or undefined.
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
    "  now: nothing was changed; a second state would not contain the resources of the first",
    `  fix: start it in ${project}, or in any folder below with npm run pulumi -- …; remove ${used} if nothing else uses it`,
  ].join("\n");
}

/** Throws an error that the engine prints without a stack trace. */
function requireOneState(project) {
  const problem = secondState(project, engineDirectory());
  if (problem === undefined) return;
  const { RunError } = require("@pulumi/pulumi");
  throw new RunError(problem);
}

module.exports = { requireOneState };
