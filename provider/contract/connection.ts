/**
 * How one host is reached. Plain values that may be shown in a diff; the sudo password is the only secret and
 * travels wrapped. Programs build it from `hearth:hosts`; the provider's transport consumes it.
 */
export interface Connection {
  /** The host's name in the stack file, e.g. `vps`. Part of the identity of everything on that host. */
  name: string;
  /** `ssh`: the operator's own OpenSSH client. `local`: this machine, no network. */
  transport: "ssh" | "local";
  /** ssh destination: a name, an address or an alias of the operator's ssh configuration. Required for `ssh`. */
  address?: string;
  /** Login user; without it ssh decides (configuration, else the local user). */
  user?: string;
  /** TCP port of sshd; without it ssh decides. */
  port?: number;
  /** ssh client configuration file (`ssh -F`); without it the operator's own. */
  sshConfigFile?: string;
  /** Private key file (`ssh -i`); without it agent and configuration decide. */
  identityFile?: string;
  /** known_hosts file; the host key is always enforced, with or without this. */
  knownHostsFile?: string;
  /** Jump host (`ssh -J`). */
  jump?: string;
  /** How to become root: `none` (already root) or `sudo`. */
  become: "none" | "sudo";
  /** Password for sudo, a secret; absent means sudo asks for none. */
  sudoPassword?: string;
}
