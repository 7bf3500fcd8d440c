import fs from "node:fs/promises";
import path from "node:path";
import { run } from "../sandbox/process";
import type { Contender, Field } from "./contender";
import type { DesiredState } from "./desired";
import type { PythonTool } from "./tools";

/** pyinfra with a deploy file in the style of its manual; it reads the state from a separate file. */
export function pyinfra(tool: PythonTool, { host, directory }: Field): Contender {
  const inventory = [
    "hosts = [",
    `    (${JSON.stringify(host.name)}, {`,
    `        "ssh_hostname": ${JSON.stringify(host.address)},`,
    `        "ssh_user": "root",`,
    `        "ssh_key": ${JSON.stringify(host.identityFile)},`,
    `        "ssh_known_hosts_file": ${JSON.stringify(host.knownHostsFile)},`,
    "    }),",
    "]",
    "",
  ].join("\n");
  const call = async (flag: string) => {
    const output = await run(
      "sh",
      [
        ...["-c", 'cd "$1" && exec "$2" inventory.py deploy.py "$3" 2>&1', "sh"],
        ...[directory, path.join(tool.bin, "pyinfra"), flag],
      ],
      { env: { NO_COLOR: "1" } },
    );
    return changes(output);
  };
  return {
    name: `pyinfra ${tool.version}`,
    async write(state) {
      await fs.mkdir(path.join(directory, "files"), { recursive: true });
      await fs.writeFile(path.join(directory, "inventory.py"), inventory);
      await fs.writeFile(path.join(directory, "deploy.py"), DEPLOY);
      await fs.writeFile(path.join(directory, "state.json"), JSON.stringify(plan(state)));
      for (const [index, file] of state.files.entries()) {
        await fs.writeFile(path.join(directory, "files", String(index)), file.content);
      }
    },
    preview: () => call("--dry"),
    apply: () => call("-y"),
  };
}

function plan(state: DesiredState) {
  const units = Object.entries(state.units).map(([unit, file]) => ({
    unit,
    own: [file, `/etc/systemd/system/${unit}`],
  }));
  return {
    ...state,
    units,
    files: state.files.map(({ path: dest, mode }, index) => ({ src: `files/${index}`, dest, mode })),
  };
}

/** Changed operations: the "Success" column of a run's last line, or the filled cells of a dry run's "Change" column. */
function changes(output: string): number {
  const lines = output.split("\n");
  const total = lines.find((line) => line.includes("Grand total"));
  if (total)
    return Number(
      total
        .trim()
        .split(/\s{2,}/)[2]
        ?.replace("-", "0"),
    );
  const header = lines.findIndex((line) => /^\s+Operation\s+Change\s/.test(line));
  if (header < 0) {
    if (output.includes("No changes")) return 0;
    throw new Error(`no results in the output of pyinfra:\n${output}`);
  }
  const end = lines.findIndex((line, index) => index > header && line.trim() === "");
  const cells = lines.slice(header + 1, end).map((line) => line.trim().split(/\s{2,}/)[1]);
  return cells.filter((cell) => cell !== "-").length;
}

const DEPLOY = `import json

from pyinfra.operations import apt, files, server, systemd

with open("state.json") as file:
    state = json.load(file)

apt.packages(name="packages", packages=state["packages"])
server.user(name="user", user=state["user"], home=state["home"], system=True, shell="/usr/sbin/nologin", ensure_home=False)
for path in state["directories"]:
    files.directory(name=path, path=path, user="root", group="root", mode="755")
changed = {}
for item in state["files"]:
    changed[item["dest"]] = files.put(
        name=item["dest"], src=item["src"], dest=item["dest"], user="root", group="root", mode=item["mode"].lstrip("0")
    )
for item in state["units"]:
    own = [changed[path] for path in item["own"]]
    systemd.daemon_reload(name="reload for " + item["unit"], _if=own[1].did_change)
    systemd.service(name=item["unit"], service=item["unit"], running=True, enabled=True)
    systemd.service(
        name="restart " + item["unit"], service=item["unit"], restarted=True, _if=[operation.did_change for operation in own[:1]]
    )
`;
