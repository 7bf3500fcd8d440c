import * as pulumi from "@pulumi/pulumi";
import { Release } from "../../provider/sdk";
import { desiredState } from "../desired";

const config = new pulumi.Config();
const state = desiredState(config.require("edition"));
const root = { owner: "root", group: "root" };

new Release("bench", {
  connection: {
    name: "bench",
    transport: "ssh",
    address: config.require("address"),
    user: "root",
    sshConfigFile: config.require("sshConfigFile"),
    become: "none",
  },
  scope: "system",
  release: "bench",
  packages: Object.fromEntries(state.packages.map((name) => [name, "any"])),
  users: { [state.user]: { home: state.home, groups: [] } },
  directories: Object.fromEntries(state.directories.map((path) => [path, { mode: "0755", ...root }])),
  files: Object.fromEntries(state.files.map(({ path, content, mode }) => [path, { content, mode, ...root }])),
  units: Object.fromEntries(
    Object.entries(state.units).map(([unit, file]) => [
      unit,
      {
        enabled: true,
        state: "running",
        restartOn: [file, `/etc/systemd/system/${unit}`],
        reloadOn: [],
      },
    ]),
  ),
});
