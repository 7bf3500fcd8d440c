import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyOf } from "../../config-schemas/fault";
import { fileFaults, resolveFile } from "../../config-schemas/files";
import { type Change, configOf, stackWith } from "./support";

let project: string;

/** Makes a self-signed certificate and its key in the project, as `<name>.crt` and `<name>.key`. */
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

test.each(["both", "wildcard"])("a certificate for all public names and its key are fine (%s)", (name) => {
  expect(faults(`${name}.crt`, `${name}.key`)).toEqual([]);
});

test("[V3] a certificate without the bare domain is refused when its well-known documents are served here", () => {
  expect(faults("one.crt", "one.key")).toEqual([
    "hearth:certificates.certificateFile: is a certificate that does not cover example.org (it covers DNS:matrix.example.org)",
  ]);
  expect(faults("one.crt", "one.key", { delegation: { serve: "elsewhere" } })).toEqual([]);
});

test("a certificate that has ended is refused", () => {
  const later = new Date(Date.now() + 3 * 86_400_000);
  expect(faults("both.crt", "both.key", {}, later)).toEqual([
    expect.stringMatching(/^hearth:certificates\.certificateFile: is a certificate that ended on /),
  ]);
});

test("a key of another certificate is refused", () => {
  expect(faults("both.crt", "one.key")).toEqual([
    "hearth:certificates.privateKeyFile: does not belong to the certificate",
  ]);
});

test("certificate and key swapped, or something else, are told apart", () => {
  expect(faults("both.key", "both.crt")).toEqual([
    "hearth:certificates.certificateFile: is not a certificate in PEM form",
    "hearth:certificates.privateKeyFile: is not an unencrypted private key in PEM form",
  ]);
  expect(faults("empty", "directory")).toEqual([
    "hearth:certificates.privateKeyFile: names a directory, not a file",
  ]);
});

test("every missing file is reported at once, with the place where it should be", () => {
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
