import type { Connection } from "../contract/connection";
import { integer, object, oneOf, optional, type Shape, text } from "./shape";

/**
 * ssh makes shell text of a jump host, and the operator's own configuration may make some of any name (`ProxyCommand … %h`),
 * so nothing that a shell or ssh would interpret is let through. The schema of the stack file is as strict.
 */
const NAME = "[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?";
const USER = "[A-Za-z_][A-Za-z0-9._-]*";
const JUMP = `(?:${USER}@)?(?:${NAME}|\\[[0-9A-Fa-f:.]+\\])(?::[1-9][0-9]{0,4})?`;

/** Options of ssh take a path in quotes, and replace `%` and `${}` in it. */
const file = (what: string) =>
  optional(text({ pattern: /^[^-"%][^"%]*$/, write: `the path of ${what}`, refuse: variable }));

function variable(path: string): string | undefined {
  return path.includes("${") ? "holds ${, which ssh would replace" : undefined;
}

const members = object<Connection>({
  name: text({ pattern: /^[a-z][a-z0-9-]*$/, write: "a name of lower-case letters, digits and -" }),
  transport: oneOf("ssh", "local"),
  address: optional(
    text({
      pattern: new RegExp(`^(?:${NAME}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9._-]+)?)$`),
      write: "a host name, an address or an alias of your ssh configuration",
    }),
  ),
  user: optional(text({ pattern: new RegExp(`^${USER}$`), write: "a login name" })),
  port: optional(integer(1, 65535)),
  sshConfigFile: file("an ssh configuration"),
  identityFile: file("a private key"),
  knownHostsFile: file("a known_hosts file"),
  jump: optional(
    text({
      pattern: new RegExp(`^${JUMP}(?:,${JUMP})*$`),
      write: "[user@]host[:port], several separated by commas",
    }),
  ),
  become: oneOf("none", "sudo"),
  sudoPassword: optional(text({ pattern: /^.+$/, write: "the password for sudo", sensitive: true })),
});

/** How a host is reached. */
export const connectionShape: Shape<Connection> = {
  check(value, path, faults) {
    const checked = members.check(value, path, faults);
    if (checked !== null && typeof checked === "object" && !Array.isArray(checked)) {
      if (checked.transport === "ssh" && checked.address === undefined) {
        faults.push(`${path}.address: is missing; transport ssh needs one`);
      }
      if (checked.become === "none" && checked.sudoPassword !== undefined) {
        faults.push(`${path}.sudoPassword: become is none; write become: sudo or drop the password`);
      }
    }
    return checked;
  },
};
