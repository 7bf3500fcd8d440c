import { X509Certificate } from "node:crypto";
import fs from "node:fs/promises";
import https from "node:https";
import path from "node:path";
import { SandboxError } from "./errors";
import { builtPrograms, pinnedVersion } from "./go-programs";
import { type Host, onHost, upHost } from "./index";
import { withLock } from "./lock";
import { openSandbox, type SandboxOptions } from "./open";
import { run } from "./process";
import { writeFileAtomically } from "./state";

/** An authority with ACME on a separate host: Pebble, with its validation on. */
export interface Authority {
  host: Host;
  /** URL of its directory. */
  directory: string;
  /** Trusted by clients of the directory only: no host of the sandbox knows it. */
  caFile: string;
  /** The root of the certificates that it gives. */
  rootFile: string;
  /** Seconds of validity of new certificates. */
  lifetime(seconds: number): Promise<void>;
  /** Whether new orders are refused as too many. */
  limited(yes: boolean): Promise<void>;
  /** Whether its directory answers. A start makes it forget its accounts, and gives it another root. */
  running(yes: boolean): Promise<void>;
}

export interface AuthorityOptions extends SandboxOptions {
  /** Name of its host; the name of the directory is `ca.<name>.test`. */
  name: string;
  /** Folder on this machine for `caFile` and `rootFile`. */
  folder: string;
  /** More names that lead to its host, where nothing answers on port 80. */
  moreNames?: readonly string[];
}

const SOURCE = path.join(__dirname, "../stand-ins/acme");
const PEBBLE = "github.com/letsencrypt/pebble/v2";
const FOLDER = "/usr/local/lib/acme";
const PORTS = { directory: 14000, management: 15000 } as const;
const NINETY_DAYS = 90 * 86_400;
const UNIT = `[Unit]
Description=Authority with ACME
After=network-online.target

[Service]
ExecStart=${FOLDER}/acme ${FOLDER}
# Every order is validated: no proof of an earlier one counts. No delay, and no refusals by chance.
Environment=PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0
Restart=on-failure

[Install]
WantedBy=multi-user.target
`;

/** Makes sure that the authority's host exists, and starts the authority. It looks names up in the host's list, like in DNS. */
export async function upAuthority({
  name,
  folder,
  moreNames = [],
  ...rest
}: AuthorityOptions): Promise<Authority> {
  const programs = await builtPebble(rest);
  const dnsName = `ca.${name}.test`;
  const host = await upHost({ ...rest, name, dnsNames: [dnsName, ...moreNames] });
  const inHost = (file: string) => path.join(host.root, FOLDER, file);
  await fs.mkdir(inHost(""), { recursive: true });
  await fs.copyFile(path.join(programs, "acme"), inHost("acme"));
  const caFile = path.join(folder, "directory-ca.pem");
  await fs.mkdir(folder, { recursive: true });
  await ownCertificate(dnsName, inHost("key.pem"), inHost("certificate.pem"));
  await fs.copyFile(inHost("certificate.pem"), caFile);
  const config = {
    Listen: `:${PORTS.directory}`,
    Management: `:${PORTS.management}`,
    Certificate: `${FOLDER}/certificate.pem`,
    Key: `${FOLDER}/key.pem`,
  };
  await writeFileAtomically(inHost("config.json"), JSON.stringify(config));
  await writeFileAtomically(path.join(host.root, "etc/systemd/system/acme.service"), UNIT);
  const rootFile = path.join(folder, "root.pem");
  const authority: Authority = {
    ...{ host, directory: `https://${dnsName}:${PORTS.directory}/dir`, caFile, rootFile },
    lifetime: (seconds) => writeFileAtomically(inHost("lifetime"), String(seconds)),
    limited: (yes) =>
      yes ? writeFileAtomically(inHost("limited"), "") : fs.rm(inHost("limited"), { force: true }),
    running: async (yes) => {
      await must(host, yes ? "systemctl daemon-reload; systemctl restart acme" : "systemctl stop acme");
      if (yes) await fs.writeFile(rootFile, await rootOf(host.address));
    },
  };
  await authority.lifetime(NINETY_DAYS);
  await authority.running(true);
  return authority;
}

async function builtPebble(options: SandboxOptions): Promise<string> {
  const { state, progress } = await openSandbox(options);
  const version = await pinnedVersion(SOURCE, PEBBLE);
  const flags = ["-mod=readonly", "-buildvcs=false", "-ldflags", "-s -w"];
  const env = { CGO_ENABLED: "0", GOWORK: "off" };
  const build = async (directory: string) => {
    await run("go", ["-C", SOURCE, "build", ...flags, "-o", `${directory}/`, "."], { env });
  };
  const wanted = { title: `Pebble ${version}`, name: "pebble", source: SOURCE, version, time: "30 s", build };
  return withLock(state, "pebble", progress, () => builtPrograms(wanted, progress));
}

/** A certificate that signs itself. */
async function ownCertificate(name: string, key: string, certificate: string): Promise<void> {
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "30"];
  const subject = ["-subj", "/CN=ACME directory", "-addext", `subjectAltName=DNS:${name}`];
  await run("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", key, "-out", certificate]);
}

/** Asks for the root certificate until the authority answers. */
async function rootOf(address: string): Promise<string> {
  const url = `https://${address}:${PORTS.management}/roots/0`;
  for (let tries = 100; tries > 0; tries -= 1) {
    const text = await get(url).catch(() => undefined);
    if (text !== undefined) return new X509Certificate(text).toString();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new SandboxError(`the authority does not answer at ${url}`);
}

function get(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    https
      .get(url, { rejectUnauthorized: false, timeout: 5000 }, (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        answer.on("end", () => resolve(text));
      })
      .on("error", reject);
  });
}

async function must(host: Host, script: string): Promise<void> {
  const { code, stderr } = await onHost(host, [script]);
  if (code !== 0) throw new SandboxError(`${host.name}: ${script} failed: ${stderr}`);
}
