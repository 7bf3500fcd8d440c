import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import type { CertificateFiles } from "../../config-schemas/certificates/schema";
import { resolveFile } from "../../config-schemas/files";
import { certificatesIn } from "../../config-schemas/public-files";
import { Release } from "../../provider/sdk";
import { publicFile } from "../../runtimes/ownership";
import { owned, SYSTEM_PLACES } from "../../runtimes/places";
import type { Machine } from "../hosts";
import { endWarning } from "./lifetime";
import { CERTIFICATE_NAME, CERTIFICATE_PATHS, KEY_SECRET, SERVICE, tlsFolder } from "./paths";

/** The release of a certificate from the operator's files. Loading the stack file has checked them. */
export function filesRelease(
  name: string,
  config: CertificateFiles,
  machine: Machine,
  projectDirectory: string,
  parent: pulumi.Resource,
): Release {
  const read = (file: string) => readFileSync(resolveFile(projectDirectory, file), "utf8");
  const certificate = certificatesIn(read(config.certificateFile)).certificates.join("");
  const warning = endWarning(certificate, new Date());
  if (warning) void pulumi.log.warn(warning, parent);
  const source = { kind: "given", value: pulumi.secret(read(config.privateKeyFile)) } as const;
  return new Release(
    name,
    {
      connection: machine.connection,
      scope: machine.places.scope,
      release: SERVICE,
      directories: machine.places.apply((places) => ({ [tlsFolder(places)]: owned(places, "0755") })),
      files: machine.places.apply((places) => ({
        [`${tlsFolder(places)}/${CERTIFICATE_NAME}`]: publicFile(certificate, places),
      })),
      ...(machine.runtime === "quadlet"
        ? { containerSecrets: { [KEY_SECRET]: { source } } }
        : { secrets: { [CERTIFICATE_PATHS.files.keyFile]: { source, ...owned(SYSTEM_PLACES, "0600") } } }),
    },
    { parent, dependsOn: machine.ready },
  );
}
