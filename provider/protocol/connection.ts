import type { Connection } from "../contract/connection";
import { integer, object, oneOf, optional, type Shape, text } from "./shape";

const file = (what: string) => optional(text({ pattern: /^[^-"%].*$/, write: `the path of ${what}` }));
const target = (what: string) => optional(text({ pattern: /^[^-\s][^\s]*$/, write: what }));

const members = object<Connection>({
  name: text({ pattern: /^[a-z][a-z0-9-]*$/, write: "a name of lower-case letters, digits and -" }),
  transport: oneOf("ssh", "local"),
  address: target("a host name, an address or an alias of your ssh configuration"),
  user: optional(text({ pattern: /^[A-Za-z_][\w.@\\$-]*$/, write: "a login name" })),
  port: optional(integer(1, 65535)),
  sshConfigFile: file("an ssh configuration"),
  identityFile: file("a private key"),
  knownHostsFile: file("a known_hosts file"),
  jump: target("a jump host as for ssh -J"),
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
