import { hostsSchema } from "../../../config-schemas/hosts/schema";
import { connectionShape } from "../../../provider/protocol/connection";

const ssh = { name: "vps", transport: "ssh", address: "vps.example.org", become: "none" };

/** Faults that the provider finds, and whether the schema of the stack file takes it. */
function verdict(key: string, value: string): { provider: boolean; schema: boolean } {
  const faults: string[] = [];
  connectionShape.check({ ...ssh, [key]: value }, "connection", faults);
  const stack = hostsSchema.safeParse({ vps: { address: "vps.example.org", [key]: value } });
  return { provider: faults.length === 0, schema: stack.success };
}

/** Values that a shell or ssh itself would interpret. */
const HOSTILE = [
  "$(id>/tmp/x)@h",
  "`id`",
  "h;id",
  "h|id",
  "h&id",
  "h id",
  "h'id'",
  'h"id"',
  "h\\id",
  "h\nProxyCommand id",
  "$HOME",
  "$" + "{HOME}",
  "-oProxyCommand=id",
  "a,-oProxyCommand=id",
  "%h",
  "h%h",
  "h/../x",
  "h*",
  "h?",
  "~root",
  "(h)",
  "<h",
  ">h",
  "[h",
  "",
];

describe("nothing that ssh or a shell would interpret is a name", () => {
  it.each(HOSTILE)("%j is neither a jump host nor an address nor a user", (value) => {
    for (const key of ["jump", "address", "user"])
      expect([key, verdict(key, value)]).toEqual([key, { provider: false, schema: false }]);
  });

  it.each([
    "bastion",
    "bastion.example.org",
    "admin@bastion:2222",
    "a@b:1,c@d:2,[2001:db8::1]:22",
    "10.0.0.1",
  ])("%s is a jump host", (value) =>
    expect(verdict("jump", value)).toEqual({ provider: true, schema: true }),
  );

  it.each(["vps.example.org", "192.0.2.10", "2001:db8::1", "fe80::1%eth0", "my_alias"])(
    "%s is an address",
    (value) => expect(verdict("address", value)).toEqual({ provider: true, schema: true }),
  );

  it.each(['/a" "/b', "/home/%u/x", "/x/$" + "{HOME}", "-x"])(
    "the path %s, of which ssh would make another, is refused by the provider",
    (value) => {
      for (const key of ["sshConfigFile", "identityFile", "knownHostsFile"])
        expect([key, verdict(key, value).provider]).toEqual([key, false]);
    },
  );
});
