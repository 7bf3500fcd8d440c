import { z } from "zod";
import { hostName, localFile, PORT, port } from "../language/common";

/** ssh makes shell text of names, so nothing but these letters is let through; the provider is as strict. */
const NAME = "[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?";
const JUMP = `(?:[A-Za-z_][A-Za-z0-9._-]*@)?(?:${NAME}|\\[[0-9A-Fa-f:.]+\\])(?:${PORT})?`;

const sshName = z
  .string()
  .regex(
    new RegExp(`^(?:${NAME}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9._-]+)?)$`),
    "an ssh destination: a name, an address or an alias of your ssh configuration",
  );

const jumpHosts = z
  .string()
  .regex(
    new RegExp(`^${JUMP}(?:,${JUMP})*$`),
    "a jump host: [user@]host[:port], several separated by commas, e.g. admin@bastion.example.org:2222",
  )
  .meta({ title: "jump host" });

/** Ends the description of what decides how the operator's own machine behaves. */
const CONFIRMED = "Has to be confirmed once on your machine: `npx hearth trust`.";

/** A machine and how it is reached. */
const hostSchema = z.strictObject({
  transport: z
    .enum(["ssh", "local"])
    .default("ssh")
    .meta({
      description: `\`ssh\`: through your own OpenSSH client. \`local\`: this machine, no network. ${CONFIRMED}`,
    }),
  address: sshName.optional().meta({
    description:
      "Where ssh connects: a name, an address or an alias of your ssh configuration. Required for `ssh`.",
    examples: ["vps.example.org", "192.0.2.10"],
  }),
  user: z
    .string()
    .regex(
      /^[a-z_][a-z0-9_-]*$/,
      "a user name: lower-case letters, digits, _ and -, starting with a letter or _, e.g. root",
    )
    .optional()
    .meta({ description: "Login user. Without it ssh decides.", examples: ["root", "debian"] }),
  port: port.optional().meta({ description: "TCP port of sshd. Without it ssh decides.", examples: [22] }),
  sshConfigFile: localFile.optional().meta({
    description: `ssh client configuration to use instead of your own. ${CONFIRMED}`,
    examples: ["./ssh_config"],
  }),
  identityFile: localFile.optional().meta({
    description: `Private key for the login. Without it agent and configuration decide. ${CONFIRMED}`,
    examples: ["~/.ssh/id_ed25519"],
  }),
  knownHostsFile: localFile.optional().meta({
    description: `Known host keys to use instead of your own. The host key is always enforced. ${CONFIRMED}`,
    examples: ["./known_hosts"],
  }),
  jump: jumpHosts.optional().meta({
    description: `Jump host, as for \`ssh -J\`. ${CONFIRMED}`,
    examples: ["bastion.example.org"],
  }),
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
