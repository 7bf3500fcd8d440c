import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileFaults, resolveFile } from "../../config-schemas/files";
import { keyOf } from "../../config-schemas/language/fault";
import { certificatesIn, publicKeyFault } from "../../config-schemas/public-files";
import { type Change, configOf, stackWith } from "./support";

let project: string;

/** Creates a self-signed certificate and its key in the project, as `<name>.crt` and `<name>.key`. */
function certificate(name: string, ...names: string[]): void {
  const arguments_ = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "2",
  ];
  const files = ["-keyout", join(project, `${name}.key`), "-out", join(project, `${name}.crt`)];
  const subject = [
    "-subj",
    "/CN=ignored.example",
    "-addext",
    `subjectAltName=${names.map((dns) => `DNS:${dns}`).join(",")}`,
  ];
  execFileSync("openssl", [...arguments_, ...files, ...subject], { stdio: "pipe" });
}

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "hearth-files-"));
  certificate("both", "matrix.example.org", "example.org");
  certificate("wildcard", "*.example.org", "example.org");
  certificate("one", "matrix.example.org");
  writeFileSync(join(project, "empty"), "");
  mkdirSync(join(project, "directory"));
});
afterAll(() => rmSync(project, { recursive: true }));

function faults(name: string, key: string, change: Change = {}, now = new Date()): string[] {
  const certificates = { certificateFile: name, privateKeyFile: key };
  return fileFaults(configOf(stackWith({ certificates, ...change })), project, now).map(
    ({ path, problem }) => `${keyOf(path)}: ${problem}`,
  );
}

test.each(["both", "wildcard"])(
  "a certificate for all public names and its key are accepted (%s)",
  (name) => {
    expect(faults(`${name}.crt`, `${name}.key`)).toEqual([]);
  },
);

test("[V3] a certificate without the bare domain is refused when its well-known documents are served here", () => {
  expect(faults("one.crt", "one.key")).toEqual([
    "hearth:certificates.certificateFile: is a certificate that does not cover example.org (it covers DNS:matrix.example.org)",
  ]);
  expect(faults("one.crt", "one.key", { delegation: { serve: "elsewhere" } })).toEqual([]);
});

test("a certificate that has ended is refused", () => {
  const later = new Date(Date.now() + 3 * 86_400_000);
  expect(faults("both.crt", "both.key", {}, later)).toEqual([
    expect.stringMatching(/^hearth:certificates\.certificateFile: is a certificate that expired on /),
  ]);
});

test("a key of another certificate is refused", () => {
  expect(faults("both.crt", "one.key")).toEqual([
    "hearth:certificates.privateKeyFile: does not match the certificate",
  ]);
});

test("swapped files and other content get different messages", () => {
  expect(faults("both.key", "both.crt")).toEqual([
    "hearth:certificates.certificateFile: is not a certificate in PEM form",
    "hearth:certificates.privateKeyFile: is not an unencrypted private key in PEM form",
  ]);
  expect(faults("empty", "directory")).toEqual([
    "hearth:certificates.privateKeyFile: names a directory, not a file",
  ]);
});

describe("a file that becomes public contains only the expected kind of content", () => {
  const read = (name: string) => readFileSync(join(project, name), "utf8");

  test("[S4] a certificate file with its key in it is refused, in any order and at any position", () => {
    const key = read("both.key");
    writeFileSync(join(project, "first.pem"), key + read("both.crt"));
    writeFileSync(join(project, "last.pem"), read("both.crt") + key);
    const params = "-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n";
    writeFileSync(join(project, "middle.pem"), read("both.crt") + params + key + read("one.crt"));
    for (const file of ["first.pem", "last.pem", "middle.pem"]) {
      const [found] = faults(file, "both.key");
      expect(found).toMatch(
        /certificateFile: contains more than certificates: .*PRIVATE KEY; this file becomes public/,
      );
      expect(faults("both.crt", "both.key", { verification: { caFile: file } })).toEqual([
        expect.stringMatching(/^hearth:verification\.caFile: contains more than certificates: .*PRIVATE KEY/),
      ]);
    }
  });

  test("one file for both, or two copies of it, is recognised under any path", () => {
    copyFileSync(join(project, "first.pem"), join(project, "copy.pem"));
    symlinkSync("first.pem", join(project, "link.pem"));
    for (const other of ["./directory/../first.pem", "copy.pem", "link.pem"])
      expect(faults("first.pem", other)).toContain(
        "hearth:certificates.privateKeyFile: is the same file as the certificate, so everybody could read the key",
      );
  });

  test("of such a file only the certificates are used, encoded again", () => {
    const text = `subject=CN = x\nplanted-secret\n${read("both.crt")}planted-secret\n${read("one.crt")}`;
    const { certificates, others } = certificatesIn(text);
    expect(others).toEqual([]);
    expect(certificates).toEqual([read("both.crt"), read("one.crt")]);
    expect(certificatesIn(read("both.key")).others).toEqual(["PRIVATE KEY"]);
  });

  test.each([
    ["a.png", Buffer.from("\x89PNG\r\n\x1a\nrest", "latin1"), true],
    ["a.jpeg", Buffer.from([0xff, 0xd8, 0xff, 0xe0]), true],
    ["a.gif", Buffer.from("GIF89a"), true],
    ["a.webp", Buffer.from("RIFF\0\0\0\0WEBP"), true],
    ["a.png", Buffer.from("-----BEGIN PRIVATE KEY-----"), false],
    ["a.png", Buffer.from([0xff, 0xd8, 0xff, 0xe0]), false],
    ["a.jpg", Buffer.alloc(0), false],
  ])("a picture has the type in its name: %s", (name, content, good) => {
    writeFileSync(join(project, name), content);
    const rooms = { spaces: { home: { name: "Home", avatar: `./${name}` } } };
    expect(faults("both.crt", "both.key", { rooms })).toEqual(
      good ? [] : ["hearth:rooms.spaces.home.avatar: is not a picture of the type in its name"],
    );
  });

  test("an archive key is a public key, armored or not", () => {
    const packet = (tag: number, length: number) =>
      Buffer.from([0x80 | (tag << 2), length, ...Array(length).fill(1)]);
    const fresh = (tag: number) => Buffer.from([0xc0 | tag, 1, 0]);
    const armored = (label: string) =>
      Buffer.from(`-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`);
    for (const good of [
      Buffer.concat([packet(6, 3), packet(13, 2)]),
      fresh(6),
      armored("PGP PUBLIC KEY BLOCK"),
    ])
      expect(publicKeyFault(good)).toBeUndefined();
    for (const secret of [packet(5, 3), Buffer.concat([packet(6, 3), packet(7, 1)]), fresh(5)])
      expect(publicKeyFault(secret)).toBe("holds a secret key");
    expect(publicKeyFault(armored("PGP PRIVATE KEY BLOCK"))).toBe("holds a PGP PRIVATE KEY BLOCK");
    expect(publicKeyFault(armored("OPENSSH PRIVATE KEY"))).toBe("holds a OPENSSH PRIVATE KEY");
    for (const other of ["", "root:x:0:0", "\x98\xff", "\x99"])
      expect(publicKeyFault(Buffer.from(other, "latin1"))).toBe("is not an OpenPGP public key");
  });
});

test("all missing files are reported together, with their absolute paths", () => {
  const change = {
    hosts: { vps: { address: "a", identityFile: "./id", knownHostsFile: "./hosts" } },
    verification: { caFile: "/nowhere/ca.pem" },
  };
  expect(faults("x.crt", "x.key", change)).toEqual(
    [
      "hosts.vps.identityFile",
      "hosts.vps.knownHostsFile",
      "verification.caFile",
      "certificates.certificateFile",
      "certificates.privateKeyFile",
    ].map((key) => `hearth:${key}: names a file that does not exist`),
  );
  const [first] = fileFaults(
    configOf(stackWith({ certificates: { certificateFile: "sub/x.crt" } })),
    project,
    new Date(),
  );
  expect(first?.fix).toBe(`put the file at ${project}/sub/x.crt, or change the path`);
});

test("paths start at the project, the home directory or the root", () => {
  expect(resolveFile("/p", "./a.pem")).toBe("/p/a.pem");
  expect(resolveFile("/p", "/a.pem")).toBe("/a.pem");
  expect(resolveFile("/p", "~/a.pem")).toBe(join(process.env.HOME ?? "", "a.pem"));
});
