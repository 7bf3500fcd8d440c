import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import type { CertificatesConfig } from "../../config-schemas/certificates";
import { resolveFile } from "../../config-schemas/files";
import { Release } from "../../provider/sdk";
import type { Machine } from "../hosts";
import { PUBLIC_DIRECTORY, publicFile } from "../ownership";

const FOLDER = "/etc/hearth/tls";
const WARN_DAYS = 14;
const DAY = 86_400_000;

/** Where a service on the host finds certificate and key. */
export const CERTIFICATE_FILE = `${FOLDER}/fullchain.pem`;
export const PRIVATE_KEY_FILE = `${FOLDER}/privkey.pem`;

export interface CertificatesArgs {
  config: CertificatesConfig;
  machine: Machine;
  /** Where relative paths in the stack file start. */
  projectDirectory: string;
}

/**
 * The TLS certificate of the public names, from the operator's files. That they fit together and cover the names was
 * checked when the stack file was read. Stateless.
 */
export class Certificates extends pulumi.ComponentResource {
  readonly release: Release;

  constructor(name: string, args: CertificatesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:certificates:Certificates", name, {}, opts);
    const read = (file: string) => readFileSync(resolveFile(args.projectDirectory, file), "utf8");
    const certificate = read(args.config.certificateFile);
    const value = pulumi.secret(read(args.config.privateKeyFile));
    const warning = endWarning(certificate, new Date());
    if (warning) void pulumi.log.warn(warning, this);
    this.release = new Release(
      name,
      {
        connection: args.machine.connection,
        scope: "system",
        release: "certificates",
        directories: { [FOLDER]: PUBLIC_DIRECTORY },
        files: { [CERTIFICATE_FILE]: publicFile(withNewline(certificate)) },
        secrets: {
          [PRIVATE_KEY_FILE]: {
            source: { kind: "given", value },
            mode: "0600",
            owner: "root",
            group: "root",
          },
        },
      },
      { parent: this, dependsOn: args.machine.host },
    );
    this.registerOutputs({ digest: this.release.digest });
  }
}

function withNewline(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

/** A warning for a certificate that ends soon; one that has ended was refused before. */
export function endWarning(certificate: string, now: Date): string | undefined {
  const { validTo } = new X509Certificate(certificate);
  const days = Math.floor((new Date(validTo).getTime() - now.getTime()) / DAY);
  if (days >= WARN_DAYS) return undefined;
  return `the certificate ends in ${days} days (${validTo}): renew it, put the new files in place and run \`pulumi up\``;
}
