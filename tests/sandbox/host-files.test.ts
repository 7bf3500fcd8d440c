import { execFileSync } from "node:child_process";
import { certificatesIn } from "../../sandbox/image";
import { quote, remoteCommand } from "../../sandbox/remote";
import { usableResolverLines } from "../../sandbox/resolver";

describe("the resolver of hosts", () => {
  it("omits servers on this machine's loopback, which a host cannot reach", () => {
    const text =
      "# made by hand\nsearch example.org\nnameserver 127.0.0.53\nnameserver 192.0.2.53\nnameserver ::1\noptions edns0\n";
    expect(usableResolverLines(text)).toEqual([
      "search example.org",
      "options edns0",
      "nameserver 192.0.2.53",
    ]);
  });

  it("is empty when only loopback is left, so that the next candidate is read", () => {
    expect(usableResolverLines("search example.org\nnameserver 127.0.0.1\n")).toEqual([]);
    expect(usableResolverLines("nameserver ::1")).toEqual([]);
    expect(usableResolverLines("")).toEqual([]);
  });
});

describe("a bundle of authorities", () => {
  it("is split into certificates that compare equal for any line length, otherwise each image gets copies of all", () => {
    const body = "QUJD".repeat(40);
    const wide = `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
    const narrow = `# a comment\n-----BEGIN CERTIFICATE-----\r\n${body.replace(/.{50}/g, "$&\r\n")}\r\n-----END CERTIFICATE-----`;
    expect(certificatesIn(wide + narrow)).toHaveLength(2);
    expect(new Set(certificatesIn(wide + narrow)).size).toBe(1);
    expect(certificatesIn(wide)[0]).toMatch(
      /^-----BEGIN CERTIFICATE-----\n(.{1,64}\n)+-----END CERTIFICATE-----\n$/,
    );
  });
});

describe("a command for a host", () => {
  it.each(["plain", "two words", "it's", '$HOME `id` \\ "', "", "a\nb", "-n"])(
    "keeps %j as one word",
    (word) => {
      const seen = execFileSync("sh", ["-c", `printf '<%s>' ${quote(word)}`]).toString();
      expect(seen).toBe(`<${word}>`);
    },
  );

  it("is shell text if it is one word, and a program with literal arguments otherwise", () => {
    expect(remoteCommand(["id; uptime"])).toBe("id; uptime");
    expect(remoteCommand(["echo", "a;b"])).toBe("echo 'a;b'");
  });
});
