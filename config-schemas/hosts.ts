import { z } from "zod";
import { hostName, line, localFile, port } from "./common";

const sshName = z
  .string()
  .regex(
    /^[A-Za-z0-9_[][A-Za-z0-9._:%[\]-]*$/,
    "an ssh destination: a name, an address or an alias of your ssh configuration",
  );

/** A machine and how it is reached. */
const hostSchema = z.strictObject({
  transport: z
    .enum(["ssh", "local"])
    .default("ssh")
    .meta({ description: "`ssh`: through your own OpenSSH client. `local`: this machine, no network." }),
  address: sshName.optional().meta({
    description:
      "Where ssh connects: a name, an address or an alias of your ssh configuration. Required for `ssh`.",
    examples: ["vps.example.org", "192.0.2.10"],
  }),
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]*$/, "a user name, e.g. root")
    .optional()
    .meta({ description: "Login user. Without it ssh decides.", examples: ["root", "debian"] }),
  port: port.optional().meta({ description: "TCP port of sshd. Without it ssh decides.", examples: [22] }),
  sshConfigFile: localFile.optional().meta({
    description: "ssh client configuration to use instead of your own.",
    examples: ["./ssh_config"],
  }),
  identityFile: localFile.optional().meta({
    description: "Private key for the login. Without it agent and configuration decide.",
    examples: ["~/.ssh/id_ed25519"],
  }),
  knownHostsFile: localFile.optional().meta({
    description: "Known host keys to use instead of your own. The host key is always enforced.",
    examples: ["./known_hosts"],
  }),
  jump: line
    .optional()
    .meta({ description: "Jump host, as for `ssh -J`.", examples: ["bastion.example.org"] }),
  become: z.enum(["none", "sudo"]).default("none").meta({
    description:
      "How to become root: `sudo`, or `none`: the login user is root (with `runtime: quadlet` an ordinary user; what only root can do is then checked and the commands are printed). A password for sudo is the secret `sudo.<host>`.",
  }),
  runtime: z.enum(["native", "quadlet"]).default("native").meta({
    description:
      "How services run on it. `native`: packages and systemd, as root. `quadlet`: rootless Podman containers of the login user, who must not be root.",
  }),
  alwaysOn: z.boolean().default(true).meta({
    description:
      "`false` for a machine that is switched off at night or for days: jobs that wait longer than it runs would never happen.",
  }),
});

/** Every machine of the stack by its name here. */
export const hostsSchema = z
  .record(hostName, hostSchema)
  .meta({ description: "The machines, each under the name that the rest of this file uses for it." });

export type HostConfig = z.output<typeof hostSchema>;
