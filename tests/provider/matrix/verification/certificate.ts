import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** A throw-away authority, and server certificates by it. */
export class Authority {
  private constructor(
    private readonly directory: string,
    readonly caFile: string,
  ) {}

  static async create(directory: string): Promise<Authority> {
    const caFile = path.join(directory, "ca.pem");
    const files = ["-keyout", path.join(directory, "ca.key"), "-out", caFile];
    await run("openssl", ["req", "-x509", ...KEY, ...files, "-days", "30", "-subj", "/O=Test authority"]);
    return new Authority(directory, caFile);
  }

  /** `notAfter`: `YYYYMMDDHHMMSSZ`, for certificates that have ended. */
  async issue(names: string[], notAfter?: string): Promise<{ cert: string; key: string }> {
    const at = (name: string) => path.join(this.directory, name);
    const san = `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`;
    await run("openssl", [
      "req",
      "-new",
      ...KEY,
      "-keyout",
      at("leaf.key"),
      "-out",
      at("leaf.csr"),
      "-subj",
      "/CN=test",
    ]);
    await fs.writeFile(at("leaf.ext"), `${san}\n`);
    if (notAfter === undefined) await this.sign(at, ["-days", "30"]);
    else await this.signUntil(at, notAfter);
    return {
      cert: await fs.readFile(at("leaf.pem"), "utf8"),
      key: await fs.readFile(at("leaf.key"), "utf8"),
    };
  }

  private async sign(at: (name: string) => string, validity: string[]): Promise<void> {
    const authority = ["-CA", this.caFile, "-CAkey", at("ca.key"), "-CAcreateserial"];
    const files = ["-in", at("leaf.csr"), "-extfile", at("leaf.ext"), "-out", at("leaf.pem")];
    await run("openssl", ["x509", "-req", ...authority, ...files, ...validity]);
  }

  /** `openssl x509` of Debian 12 knows no end date; `openssl ca` does. */
  private async signUntil(at: (name: string) => string, notAfter: string): Promise<void> {
    await fs.writeFile(at("index.txt"), "");
    await fs.writeFile(
      at("ca.conf"),
      `[ca]\ndefault_ca=test\n[test]\ndatabase=${at("index.txt")}\nnew_certs_dir=${this.directory}\nrand_serial=yes\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n`,
    );
    const authority = [
      "-config",
      at("ca.conf"),
      "-cert",
      this.caFile,
      "-keyfile",
      at("ca.key"),
      "-batch",
      "-notext",
    ];
    const dates = ["-startdate", "20200101000000Z", "-enddate", notAfter];
    await run("openssl", [
      "ca",
      ...authority,
      "-in",
      at("leaf.csr"),
      "-extfile",
      at("leaf.ext"),
      "-out",
      at("leaf.pem"),
      ...dates,
    ]);
  }
}
