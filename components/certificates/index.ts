import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import type { CertificatesConfig } from "../../config-schemas/certificates/schema";
import { resolveFile } from "../../config-schemas/files";
import { certificatesIn } from "../../config-schemas/public-files";
import { Release } from "../../provider/sdk";
import { publicFile } from "../../runtimes/ownership";
import { owned, type Places, SYSTEM_PLACES } from "../../runtimes/places";
import type { Machine } from "../hosts";

const WARN_DAYS = 14;
const DAY = 86_400_000;

/** Folder of the certificate on its host. */
export function tlsFolder(places: Places): string {
  return places.config("tls");
}

/** Name of the certificate's file in this folder. */
export const CERTIFICATE_NAME = "fullchain.pem";
/** Paths of certificate and key for a service that belongs to root. */
export const CERTIFICATE_FILE = `${tlsFolder(SYSTEM_PLACES)}/${CERTIFICATE_NAME}`;
export const PRIVATE_KEY_FILE = `${tlsFolder(SYSTEM_PLACES)}/privkey.pem`;
/** Name of the Podman secret with the key, for containers. */
export const KEY_SECRET = "hearth-tls-key";

export interface CertificatesArgs {
  config: CertificatesConfig;
  machine: Machine;
  /** Relative paths in the stack file start here. */
  projectDirectory: string;
}

/**
 * The TLS certificate of the public names, from the operator's files. Loading the stack file has checked that key and
 * certificate match and that the certificate covers the names. Stateless.
 */
export class Certificates extends pulumi.ComponentResource {
  readonly release: Release;

  constructor(name: string, args: CertificatesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:certificates:Certificates", name, {}, opts);
    const read = (file: string) => readFileSync(resolveFile(args.projectDirectory, file), "utf8");
    const certificate = certificatesIn(read(args.config.certificateFile)).certificates.join("");
    const value = pulumi.secret(read(args.config.privateKeyFile));
    const warning = endWarning(certificate, new Date());
    if (warning) void pulumi.log.warn(warning, this);
    const { machine } = args;
    const source = { kind: "given", value } as const;
    this.release = new Release(
      name,
      {
        connection: machine.connection,
        scope: machine.places.scope,
        release: "certificates",
        directories: machine.places.apply((places) => ({ [tlsFolder(places)]: owned(places, "0755") })),
        files: machine.places.apply((places) => ({
          [`${tlsFolder(places)}/${CERTIFICATE_NAME}`]: publicFile(certificate, places),
        })),
        ...(machine.runtime === "quadlet"
          ? { containerSecrets: { [KEY_SECRET]: { source } } }
          : { secrets: { [PRIVATE_KEY_FILE]: { source, ...owned(SYSTEM_PLACES, "0600") } } }),
      },
      { parent: this, dependsOn: machine.ready },
    );
    this.registerOutputs({ digest: this.release.digest });
  }
}

/** A warning for a certificate that expires soon; loading the stack file refuses an expired one. */
export function endWarning(certificate: string, now: Date): string | undefined {
  const { validTo } = new X509Certificate(certificate);
  const days = Math.floor((new Date(validTo).getTime() - now.getTime()) / DAY);
  if (days >= WARN_DAYS) return undefined;
  return `the certificate expires in ${days} days (${validTo})\n  fix: renew it, replace the files with the new ones, and run \`pulumi up\``;
}
