import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import type { AcmeConfig } from "../../config-schemas/certificates/schema";
import { resolveFile } from "../../config-schemas/files";
import { certificatesIn } from "../../config-schemas/public-files";
import type { Release } from "../../provider/sdk";
import { serviceRelease } from "../../runtimes/release";
import type { Machine } from "../hosts";
import { CHALLENGE_PATH } from "../proxy/challenge";
import { acmeSpec, FACT, UNIT } from "./acme-spec";
import { renewalWarning } from "./published";

export interface AcmeArgs {
  config: AcmeConfig;
  machine: Machine;
  names: readonly string[];
  keptNames: readonly string[];
  projectDirectory: string;
  records: readonly pulumi.Resource[];
}

/** The release of a certificate, and what changes whenever the proxy must read its files again. */
export interface Served {
  release: Release;
  revision: pulumi.Output<string>;
}

/**
 * The release of the client that gets and renews the certificate on the host. It has a name of its own, so a change of the source
 * first makes the new certificate, then the proxy uses it, and only then the old one goes.
 */
export function acmeRelease(name: string, args: AcmeArgs, parent: pulumi.Resource): Served {
  const { config, machine, names, keptNames, projectDirectory, records } = args;
  const read = (file: string) => readFileSync(resolveFile(projectDirectory, file), "utf8");
  const authorities =
    config.caFile === undefined ? undefined : certificatesIn(read(config.caFile)).certificates.join("");
  const { parts } = machine.service((facts) => acmeSpec({ config, names, keptNames, authorities, facts }));
  const release = serviceRelease(`${name}-acme`, "acme", machine, parts, {
    ...{ parent, dependsOn: [...machine.ready, ...records] },
  });
  release.published?.apply((facts) => {
    const warning = renewalWarning(facts?.[FACT] ?? "", machine.name, UNIT, new Date());
    if (warning !== undefined) void pulumi.log.warn(warning, parent);
  });
  // nginx reads the server for plain HTTP, which this release has.
  const site = parts.apply(({ files }) => files?.[CHALLENGE_PATH]?.content ?? "");
  return {
    release,
    revision: site.apply((text) => createHash("sha256").update(text).digest("hex").slice(0, 16)),
  };
}
