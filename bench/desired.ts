/** A file of the state that all tools apply. */
export interface DesiredFile {
  path: string;
  content: string;
  mode: string;
}

/**
 * The host state that every tool is measured with, the size of a small homeserver: 16 files, 4 directories, 6 packages,
 * a user and 3 units. `edition` goes into one file, whose service restarts when it changes.
 */
export function desiredState(edition: string) {
  const directories = ["settings", "limits", "rules", "pages"].map((name) => `/etc/hearth-bench/${name}`);
  const services = ["one", "two", "three"];
  const units = services.map((name) => ({
    path: `/etc/systemd/system/hearth-bench-${name}.service`,
    content: unitText(name),
    mode: "0644",
  }));
  const settings = services.map((name) => ({
    path: `/etc/hearth-bench/settings/${name}.conf`,
    content: `edition ${name === "one" ? edition : "first"}\n`,
    mode: "0644",
  }));
  const others = Array.from({ length: 10 }, (_, index) => ({
    path: `${directories[index % directories.length]}/part-${index}.conf`,
    content: Array.from(
      { length: 60 },
      (_line, line) => `option.${index}.${line} = value ${line * index}\n`,
    ).join(""),
    mode: "0644",
  }));
  return {
    user: "hearth-bench",
    home: "/var/lib/hearth-bench",
    packages: ["bc", "file", "jq", "rsync", "tree", "zip"],
    directories,
    files: [...units, ...settings, ...others] satisfies DesiredFile[],
    /** Maps a unit to the file whose change restarts it. */
    units: Object.fromEntries(
      services.map((name) => [`hearth-bench-${name}.service`, `/etc/hearth-bench/settings/${name}.conf`]),
    ),
  };
}

export type DesiredState = ReturnType<typeof desiredState>;

function unitText(name: string): string {
  return [
    ...["[Unit]", `Description=Benchmark service ${name}`, ""],
    ...["[Service]", "User=hearth-bench", "ExecStart=/usr/bin/sleep infinity", "Restart=on-failure", ""],
    ...["[Install]", "WantedBy=multi-user.target", ""],
  ].join("\n");
}
