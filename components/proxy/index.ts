import * as pulumi from "@pulumi/pulumi";
import { parseSize } from "../../config-schemas/common";
import type { HomeserverConfig } from "../../config-schemas/homeserver";
import type { ProxyConfig } from "../../config-schemas/proxy";
import { type HostFile, Release } from "../../provider/sdk";
import type { Certificates } from "../certificates";
import type { Delegation } from "../delegation";
import type { Homeserver } from "../homeserver";
import type { Machine } from "../hosts";
import { PUBLIC_DIRECTORY, publicFile } from "../ownership";
import { hostPrograms, programFolder } from "../programs";
import {
  MAIN_FILE,
  MATRIX_FILE,
  type ProxyPlan,
  renderMain,
  renderMatrix,
  renderUpstream,
  SITES_FOLDER,
  UPSTREAM_FILE,
} from "./render";
import { renderUnitOverride } from "./unit";

const SERVICE = "proxy";
const UNIT = "nginx.service";
const UNIT_OVERRIDE = `/etc/systemd/system/${UNIT}.d/50-hearth.conf`;

export interface ProxyArgs {
  config: ProxyConfig;
  machine: Machine;
  homeserver: Homeserver;
  homeserverConfig: HomeserverConfig;
  delegation: Delegation;
  certificates: Certificates;
}

/** nginx in front of Synapse: TLS, the public names, and only the paths that the world may reach. Stateless. */
export class ReverseProxy extends pulumi.ComponentResource {
  readonly release: Release;

  constructor(name: string, args: ProxyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:proxy:ReverseProxy", name, {}, opts);
    const { config, machine, certificates, homeserverConfig } = args;
    const ports = config.federationPort ? ["443", "8448"] : ["443"];
    const health = ["/bin/sh", `${programFolder(SERVICE)}/answers.sh`, homeserverConfig.publicHost, ...ports];
    this.release = new Release(
      name,
      {
        connection: machine.connection,
        scope: "system",
        release: SERVICE,
        packages: { nginx: "any", curl: "any" },
        directories: {
          [programFolder(SERVICE)]: PUBLIC_DIRECTORY,
          [SITES_FOLDER]: PUBLIC_DIRECTORY,
        },
        files: machine.facts.apply(({ nginx }) => filesOf(planOf(args, nginx))),
        units: {
          [UNIT]: {
            enabled: true,
            state: "running",
            // Everything else nginx takes in by a reload, without dropping a connection.
            restartOn: [UNIT_OVERRIDE],
            reloadOn: [MAIN_FILE, MATRIX_FILE, UPSTREAM_FILE, "revision:certificates"],
          },
        },
        revisions: { certificates: certificates.release.digest },
        validators: {
          "05-other-sites": {
            argv: ["/bin/sh", `${programFolder(SERVICE)}/other_sites.sh`, SITES_FOLDER],
            timeoutSeconds: 10,
          },
          "10-nginx": { argv: ["/usr/sbin/nginx", "-t", "-q", "-c", MAIN_FILE], timeoutSeconds: 30 },
          "20-unit": { argv: ["/usr/bin/systemd-analyze", "verify", "--man=no", UNIT], timeoutSeconds: 30 },
        },
        health: { answers: { kind: "command", argv: health, timeoutSeconds: 30 } },
      },
      { parent: this, dependsOn: [machine.host, certificates.release] },
    );
    this.registerOutputs({ digest: this.release.digest });
  }
}

function planOf({ config, homeserver, homeserverConfig, delegation }: ProxyArgs, nginx: string): ProxyPlan {
  return {
    nginx,
    serverName: homeserverConfig.serverName,
    publicHost: homeserverConfig.publicHost,
    upstream: homeserver.upstream,
    maxUploadBytes: parseSize(homeserverConfig.media.maxUploadSize),
    readTimeout: config.readTimeout,
    federationPort: config.federationPort,
    ...(delegation.servedHere ? { documents: delegation.documents } : {}),
  };
}

function filesOf(plan: ProxyPlan): Record<string, HostFile> {
  return {
    ...hostPrograms(SERVICE),
    [MAIN_FILE]: publicFile(renderMain()),
    [MATRIX_FILE]: publicFile(renderMatrix(plan)),
    [UPSTREAM_FILE]: publicFile(renderUpstream(plan)),
    [UNIT_OVERRIDE]: publicFile(renderUnitOverride()),
  };
}
