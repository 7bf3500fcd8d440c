import { z } from "zod";
import { hostName, localFile, PORT, port } from "../language/common";

/** ssh builds shell commands from names, so only these characters are allowed; the provider has the same limit. */
const NAME = "[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?";
const JUMP = `(?:[A-Za-z_][A-Za-z0-9._-]*@)?(?:${NAME}|\\[[0-9A-Fa-f:.]+\\])(?:${PORT})?`;

const sshName = z
  .string()
  .regex(
    new RegExp(`^(?:${NAME}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9._-]+)?)$`),
    "an ssh destination: a name, an address or an alias in your ssh configuration",
  );

const jumpHosts = z
  .string()
  .regex(
    new RegExp(`^${JUMP}(?:,${JUMP})*$`),
    "a jump host: [user@]host[:port], several separated by commas, e.g. admin@bastion.example.org:2222",
  )
  .meta({ title: "jump host" });

/** Last sentence in the description of keys that change the behaviour of the operator's own machine. */
const CONFIRMED = "Confirm it once on your machine: `npx hearth trust`.";

/** A host and how to reach it. */
const hostSchema = z.strictObject({
  transport: z
    .enum(["ssh", "local"])
    .default("ssh")
    .meta({
      description: `\`ssh\`: with your own OpenSSH client. \`local\`: this machine, without a network. ${CONFIRMED}`,
    }),
  address: sshName.optional().meta({
    description:
      "Destination of ssh: a name, an address or an alias in your ssh configuration. Required for `ssh`.",
    examples: ["vps.example.org", "192.0.2.10"],
  }),
  user: z
    .string()
    .regex(
      /^[a-z_][a-z0-9_-]*$/,
      "a user name: lower-case letters, digits, _ and -, starting with a letter or _, e.g. root",
    )
    .optional()
    .meta({ description: "Login user. Absent: ssh decides.", examples: ["root", "debian"] }),
  port: port.optional().meta({ description: "TCP port of sshd. Absent: ssh decides.", examples: [22] }),
  sshConfigFile: localFile.optional().meta({
    description: `ssh client configuration to use instead of your own. ${CONFIRMED}`,
    examples: ["./ssh_config"],
  }),
  identityFile: localFile.optional().meta({
    description: `Private key for the login. Absent: the ssh agent and the ssh configuration decide. ${CONFIRMED}`,
    examples: ["~/.ssh/id_ed25519"],
  }),
  knownHostsFile: localFile.optional().meta({
    description: `File of known host keys to use instead of your own. ssh always checks the host key. ${CONFIRMED}`,
    examples: ["./known_hosts"],
  }),
  jump: jumpHosts.optional().meta({
    description: `Jump host, as for \`ssh -J\`. ${CONFIRMED}`,
    examples: ["bastion.example.org"],
  }),
  become: z.enum(["none", "sudo"]).default("none").meta({
    description:
      "How to become root. `sudo`: with sudo; its password is the secret `sudo.<host>`. `none`: the login user is root, or with `runtime: quadlet` an ordinary user; Hearth then checks what only root can set up, and prints the commands.",
  }),
  runtime: z.enum(["native", "quadlet"]).default("native").meta({
    description:
      "How services run on it. `native`: packages and systemd, as root. `quadlet`: rootless Podman containers of the login user, who must not be root.",
  }),
  alwaysOn: z.boolean().default(true).meta({
    description:
      "`false` for a host that is switched off at night or for days: Hearth then refuses jobs that wait longer than the host runs.",
  }),
});

/** All hosts of the stack, by name. */
export const hostsSchema = z.record(hostName, hostSchema).meta({
  description:
    "The hosts, each under the name that the rest of this file uses for it. Hearth checks a host that no other section names, and runs nothing on it.",
});

export type HostConfig = z.output<typeof hostSchema>;
