import { createPrivateKey, X509Certificate } from "node:crypto";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { ensureCa, issue } from "../../sandbox/certificates";
import { StateDirectory } from "../../sandbox/state";

describe("a certificate of the sandbox's CA", () => {
  let work: string;
  let state: StateDirectory;
  const read = async (name: string) => fs.readFile(path.join(work, "out", name));

  beforeAll(async () => {
    work = await fs.mkdtemp(path.join(os.tmpdir(), "sandbox-ca-"));
    state = new StateDirectory(path.join(work, "state"));
    await state.prepare();
  });
  afterAll(() => fs.rm(work, { recursive: true, force: true }));

  it("is signed by it, matches its key, is for the names and for addresses, and only its owner can read its key", async () => {
    expect(await issue(state, ["matrix.test", "10.213.1.2"], path.join(work, "out"))).toBe(true);
    const certificate = new X509Certificate(await read("fullchain.pem"));
    const ca = new X509Certificate(await fs.readFile((await ensureCa(state)).certificate));
    expect(ca.ca).toBe(true);
    expect(certificate.checkIssued(ca) && certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.checkHost("matrix.test")).toBe("matrix.test");
    expect(certificate.checkIP("10.213.1.2")).toBe("10.213.1.2");
    expect(certificate.checkPrivateKey(createPrivateKey(await read("privkey.pem")))).toBe(true);
    expect((await fs.stat(path.join(work, "out/privkey.pem"))).mode & 0o777).toBe(0o600);
    expect((await fs.readdir(path.join(work, "out"))).sort()).toEqual(["fullchain.pem", "privkey.pem"]);
  });

  it("stays while it is valid, in any order of names, otherwise each run reloads a proxy", async () => {
    const before = await read("fullchain.pem");
    expect(await issue(state, ["10.213.1.2", "matrix.test"], path.join(work, "out"))).toBe(false);
    expect(await read("fullchain.pem")).toEqual(before);
  });

  it("is issued again when a name is missing, otherwise a new virtual host gets the wrong certificate", async () => {
    expect(await issue(state, ["matrix.test", "other.test"], path.join(work, "out"))).toBe(true);
    expect(new X509Certificate(await read("fullchain.pem")).checkHost("other.test")).toBe("other.test");
  });

  it("is issued again when its key does not match, for example after an interrupted write", async () => {
    await issue(state, ["matrix.test"], path.join(work, "elsewhere"));
    await fs.copyFile(path.join(work, "elsewhere/privkey.pem"), path.join(work, "out/privkey.pem"));
    expect(await issue(state, ["matrix.test", "other.test"], path.join(work, "out"))).toBe(true);
  });

  it("is issued again when another sandbox's CA signed it, otherwise no host trusts it", async () => {
    const other = new StateDirectory(path.join(work, "other"));
    await other.prepare();
    expect(await issue(other, ["matrix.test", "other.test"], path.join(work, "out"))).toBe(true);
  });

  it("is refused for an invalid DNS name, before anything is written", async () => {
    await expect(issue(state, ["*.test"], path.join(work, "none"))).rejects.toThrow(/is not a DNS name/);
    await expect(fs.access(path.join(work, "none"))).rejects.toThrow();
  });
});
