import * as pulumi from "@pulumi/pulumi";
import { Release } from "../../provider/sdk";

// The same number of small releases on each host: what one more release, or one more host, adds to a run that changes nothing.

const config = new pulumi.Config();
const hosts = config.requireObject<{ name: string; address: string; sshConfigFile: string }[]>("hosts");
const stack = pulumi.getStack().replace(/^bench-/, "");
const releases = Array.from({ length: config.requireNumber("releases") }, (_, index) => `${stack}-${index}`);
const root = { owner: "root", group: "root" };

for (const host of hosts) {
  for (const release of releases) {
    const directory = `/etc/hearth-bench-${release}`;
    const files = ["one", "two", "three", "four"].map((name) => `${directory}/${name}.conf`);
    new Release(`${host.name}-${release}`, {
      connection: { ...host, transport: "ssh", user: "root", become: "none" },
      scope: "system",
      release,
      packages: { bash: "any" },
      directories: { [directory]: { mode: "0755", ...root } },
      files: Object.fromEntries(
        files.map((file) => [file, { content: `${"option = value\n".repeat(60)}`, mode: "0644", ...root }]),
      ),
      units: { "ssh.service": { adopt: true, enabled: true, state: "running", restartOn: [], reloadOn: [] } },
      health: {
        directory: { kind: "command", argv: ["/usr/bin/test", "-d", directory], timeoutSeconds: 5 },
      },
    });
  }
}
