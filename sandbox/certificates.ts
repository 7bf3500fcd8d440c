import { createPrivateKey, X509Certificate } from "node:crypto";
import fs from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { checkDnsNames } from "./names";
import { run } from "./process";
import { exists, type StateDirectory } from "./state";

const LEAF_DAYS = 90;
const RENEW_BEFORE_DAYS = 30;

/** The sandbox's own certificate authority, created at first use. Call under the `shared` lock. */
export async function ensureCa(state: StateDirectory): Promise<{ certificate: string; key: string }> {
  const [certificate, key] = [state.path("ca", "ca.crt"), state.path("ca", "ca.key")];
  if (await exists(certificate)) return { certificate, key };
  const subject = `/O=Hearth/CN=Hearth sandbox CA ${state.tag}`;
  const made = `${certificate}.new`;
  await generateKey(key);
  const extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"];
  await run("openssl", [
    ...["req", "-x509", "-new", "-sha256", "-days", "3650", "-subj", subject, "-key", key, "-out", made],
    ...extensions.flatMap((extension) => ["-addext", extension]),
  ]);
  await fs.rename(made, certificate);
  return { certificate, key };
}

/**
 * Writes `fullchain.pem` and `privkey.pem` (0600) for `names` (DNS names or IP addresses) into `outDirectory`.
 * Nothing changes while the existing certificate is from this CA, is for exactly these names, matches its key and is valid for
 * 30 more days. Returns whether it issued one.
 */
export async function issue(
  state: StateDirectory,
  names: readonly string[],
  outDirectory: string,
): Promise<boolean> {
  checkDnsNames(names.filter((name) => net.isIP(name) === 0));
  const ca = await ensureCa(state);
  const fullchain = path.join(outDirectory, "fullchain.pem");
  const privkey = path.join(outDirectory, "privkey.pem");
  await fs.mkdir(outDirectory, { recursive: true });
  if (await isCurrent(fullchain, privkey, ca.certificate, names)) return false;
  const work = await fs.mkdtemp(path.join(outDirectory, ".issue-"));
  try {
    const part = (name: string) => path.join(work, name);
    await generateKey(part("key"));
    await sign(ca, names, part);
    // If only one of the two renames happens, the pair does not match and the next call issues again.
    await fs.rename(part("key"), privkey);
    await fs.rename(part("certificate"), fullchain);
  } finally {
    await fs.rm(work, { recursive: true, force: true });
  }
  return true;
}

/** Creates `certificate` from `key`; `part` names the files of one issue. */
async function sign(
  ca: { certificate: string; key: string },
  names: readonly string[],
  part: (name: string) => string,
): Promise<void> {
  const subject = "/O=Hearth sandbox";
  await run("openssl", ["req", "-new", "-key", part("key"), "-subj", subject, "-out", part("request")]);
  await fs.writeFile(part("extensions"), leafExtensions(names));
  await run("openssl", [
    ...["x509", "-req", "-sha256", "-days", String(LEAF_DAYS)],
    ...["-in", part("request"), "-out", part("certificate")],
    ...["-CA", ca.certificate, "-CAkey", ca.key, "-CAcreateserial", "-CAserial", part("serial")],
    ...["-extfile", part("extensions")],
  ]);
}

/** Extensions of a server certificate for `names`, in OpenSSL's file format. */
function leafExtensions(names: readonly string[]): string {
  return [
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=serverAuth",
    "subjectKeyIdentifier=hash",
    "authorityKeyIdentifier=keyid",
    `subjectAltName=${names.map((name) => `${net.isIP(name) ? "IP" : "DNS"}:${name}`).join(",")}`,
    "",
  ].join("\n");
}

async function generateKey(file: string): Promise<void> {
  // openssl creates the file 0600 itself.
  await run("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file]);
  await fs.chmod(file, 0o600);
}

async function isCurrent(
  fullchain: string,
  privkey: string,
  caFile: string,
  names: readonly string[],
): Promise<boolean> {
  try {
    const certificate = new X509Certificate(await fs.readFile(fullchain));
    const ca = new X509Certificate(await fs.readFile(caFile));
    const present = (certificate.subjectAltName ?? "")
      .split(", ")
      .map((entry) => entry.replace(/^[^:]*:/, ""));
    const remaining = Date.parse(certificate.validTo) - Date.now();
    return (
      certificate.verify(ca.publicKey) &&
      certificate.checkPrivateKey(createPrivateKey(await fs.readFile(privkey))) &&
      remaining > RENEW_BEFORE_DAYS * 86_400_000 &&
      [...present].sort().join() === [...new Set(names)].sort().join()
    );
  } catch {
    // Missing or unreadable: issue a new one.
    return false;
  }
}
