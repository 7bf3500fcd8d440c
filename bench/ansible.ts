import fs from "node:fs/promises";
import path from "node:path";
import { stringify } from "yaml";
import { run } from "../sandbox/process";
import type { Contender, Field } from "./contender";
import type { DesiredState } from "./desired";
import type { PythonTool } from "./tools";

/** Ansible with the settings of experienced users: pipelining, a connection kept for a minute, no fact gathering. */
export function ansible(tool: PythonTool, { host, directory }: Field): Contender {
  const settings = [
    ...[
      "[defaults]",
      "inventory = inventory.yml",
      "gathering = explicit",
      "interpreter_python = /usr/bin/python3",
      "",
    ],
    ...["[ssh_connection]", "pipelining = True"],
    `ssh_args = -F ${host.sshConfigFile} -o ControlMaster=auto -o ControlPersist=60s`,
    "",
  ].join("\n");
  const inventory = { all: { hosts: { [host.name]: { ansible_user: "root" } } } };
  const play = async (...args: string[]) => {
    const env = { ANSIBLE_CONFIG: path.join(directory, "ansible.cfg"), ANSIBLE_NOCOLOR: "1" };
    const output = await run(
      path.join(tool.bin, "ansible-playbook"),
      [...args, "-i", path.join(directory, "inventory.yml"), path.join(directory, "playbook.yml")],
      { env: { ...env, ANSIBLE_LOCALHOST_WARNING: "False" } },
    );
    const changed = /changed=(\d+)/.exec(output)?.[1];
    if (changed === undefined) throw new Error(`no recap in the output of ansible-playbook:\n${output}`);
    return Number(changed);
  };
  return {
    name: `Ansible (ansible-core ${tool.version})`,
    async write(state) {
      await fs.mkdir(path.join(directory, "files"), { recursive: true });
      await fs.writeFile(path.join(directory, "ansible.cfg"), settings);
      await fs.writeFile(path.join(directory, "inventory.yml"), stringify(inventory));
      await fs.writeFile(path.join(directory, "playbook.yml"), stringify([playbook(state)]));
      for (const [index, file] of state.files.entries()) {
        await fs.writeFile(path.join(directory, "files", String(index)), file.content);
      }
    },
    preview: () => play("--check", "--diff"),
    apply: () => play(),
  };
}

function playbook(state: DesiredState): unknown {
  const owned = { owner: "root", group: "root" };
  const restarted = Object.entries(state.units);
  const files = state.files.map(({ path: dest, mode }, index) => ({ src: String(index), dest, mode }));
  const unitFiles = files.filter(({ dest }) => dest.startsWith("/etc/systemd/system/"));
  const restartFiles = new Map(restarted.map(([unit, file]) => [file, unit]));
  const plain = files.filter((file) => !unitFiles.includes(file) && !restartFiles.has(file.dest));
  const copy = { src: "{{ item.src }}", dest: "{{ item.dest }}", mode: "{{ item.mode }}", ...owned };
  const tasks = [
    { name: "packages", "ansible.builtin.apt": { name: state.packages, state: "present" } },
    {
      name: "user",
      "ansible.builtin.user": {
        name: state.user,
        home: state.home,
        system: true,
        shell: "/usr/sbin/nologin",
      },
    },
    {
      name: "directories",
      "ansible.builtin.file": { path: "{{ item }}", state: "directory", mode: "0755", ...owned },
      loop: state.directories,
    },
    { name: "files", "ansible.builtin.copy": copy, loop: plain },
    { name: "units", "ansible.builtin.copy": copy, loop: unitFiles, notify: "reload systemd" },
    ...restarted.map(([unit, file]) => {
      const own = files.find(({ dest }) => dest === file);
      return {
        name: `settings of ${unit}`,
        "ansible.builtin.copy": { ...own, ...owned },
        notify: `restart ${unit}`,
      };
    }),
    { name: "apply unit changes", "ansible.builtin.meta": "flush_handlers" },
    {
      name: "services",
      "ansible.builtin.systemd_service": { name: "{{ item }}", enabled: true, state: "started" },
      loop: restarted.map(([unit]) => unit),
    },
  ];
  const handlers = [
    { name: "reload systemd", "ansible.builtin.systemd_service": { daemon_reload: true } },
    ...restarted.map(([unit]) => ({
      name: `restart ${unit}`,
      "ansible.builtin.systemd_service": { name: unit, state: "restarted" },
    })),
  ];
  return { name: "bench", hosts: "all", gather_facts: false, tasks, handlers };
}
