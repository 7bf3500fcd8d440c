import {
  checkDnsNames,
  checkHostName,
  checkNamesAreFree,
  renderHostsFile,
  renderKnownHosts,
  renderSshConfig,
} from "../../sandbox/names";

const one = {
  name: "one",
  address: "10.213.1.2",
  dnsNames: ["one.test", "matrix.one.test"],
  hostKey: "ssh-ed25519 AAA1",
};
const two = { name: "two", address: "10.213.1.3", dnsNames: [], hostKey: "ssh-ed25519 AAA2" };
const system = "127.0.0.1 localhost\n127.0.1.1 one\n";

describe("/etc/hosts of a host", () => {
  it("keeps other lines, otherwise lines of a deployment are lost when a host is added", () => {
    const first = renderHostsFile(system, [one]);
    const edited = `${first}192.0.2.9 added.by.hand\n`;
    const next = renderHostsFile(edited, [one, two]).split("\n");
    expect(next).toEqual(
      expect.arrayContaining(["127.0.1.1 one", "192.0.2.9 added.by.hand", "10.213.1.3 two"]),
    );
  });

  it("puts DNS names before the bare name, otherwise the canonical name of a server is wrong", () => {
    expect(renderHostsFile(system, [one])).toContain("\n10.213.1.2 one.test matrix.one.test one\n");
  });

  it("is stable and drops removed hosts, otherwise names lead to addresses without a host", () => {
    const both = renderHostsFile(system, [one, two]);
    expect(renderHostsFile(both, [one, two])).toBe(both);
    const left = renderHostsFile(both, [two]);
    expect(left).not.toContain("one.test");
    expect(left.match(/hearth-sandbox begin/g)).toHaveLength(1);
    expect(left.startsWith(system)).toBe(true);
  });
});

describe("ssh files", () => {
  it("list every name and address of a host, otherwise a connection by DNS name finds an unknown key", () => {
    expect(renderKnownHosts([one, two])).toBe(
      "one,10.213.1.2,one.test,matrix.one.test ssh-ed25519 AAA1\ntwo,10.213.1.3 ssh-ed25519 AAA2\n",
    );
  });

  it("enforce the host key and use only the sandbox's key, otherwise a test passes against a stranger's host", () => {
    const config = renderSshConfig([one], { identityFile: "/s/id", knownHostsFile: "/s/known" });
    expect(config.split("\n").map((line) => line.trim())).toEqual(
      expect.arrayContaining([
        "Host one one.test matrix.one.test 10.213.1.2",
        "StrictHostKeyChecking yes",
        'UserKnownHostsFile "/s/known"',
        'IdentityFile "/s/id"',
        "IdentitiesOnly yes",
      ]),
    );
  });
});

describe("names", () => {
  it.each(["one", "a", "web-2"])("%s is a valid name of a host", (name) =>
    expect(() => checkHostName(name)).not.toThrow(),
  );

  it.each(["", "One", "2nd", "-a", "a-", "a.b", "a/b", "..", "a b", "localhost", "x".repeat(33)])(
    "%j is not a valid name of a host, otherwise it leaves its directory or its label",
    (name) => expect(() => checkHostName(name)).toThrow(/cannot be a host's name: 1 to 32/),
  );

  it.each(["A.test", "a..test", "a.test.", "-a.test", "a b", "*.test", `${"x".repeat(64)}.test`])(
    "%j is not a DNS name, otherwise /etc/hosts contains a line that resolves nothing",
    (name) => expect(() => checkDnsNames([name])).toThrow(/is not a DNS name/),
  );

  it("lead to one host only; the message names that host", () => {
    expect(() => checkNamesAreFree("two", ["one.test"], [one])).toThrow(
      /one\.test already leads to the host one/,
    );
    expect(() => checkNamesAreFree("one.test", [], [one])).toThrow(/already leads/);
    expect(() => checkNamesAreFree("one", ["one.test", "new.test"], [one, two])).not.toThrow();
  });
});
