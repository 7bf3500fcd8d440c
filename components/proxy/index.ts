import * as pulumi from "@pulumi/pulumi";
import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { parseSize } from "../../config-schemas/language/common";
import type { ProxyModel } from "../../config-schemas/proxy/schema";
import type { Link } from "../../hosts/link";
import type { Release } from "../../provider/sdk";
import { serviceRelease } from "../../runtimes/release";
import type { Certificates } from "../certificates";
import { tlsFolder } from "../certificates/paths";
import type { Delegation } from "../delegation";
import type { Homeserver } from "../homeserver";
import type { Machine } from "../hosts";
import type { HostFacts } from "../hosts/facts";
import { proxySpec } from "./kinds";
import type { ProxyPlan } from "./plan";

export interface ReverseProxyArgs {
  config: ProxyModel;
  machine: Machine;
  homeserver: Homeserver;
  /** Connects this host with the homeserver's; absent: they are the same. */
  link?: Link | undefined;
  homeserverConfig: HomeserverConfig;
  delegation: Delegation;
  /** Absent if a tunnel ends TLS. */
  certificates?: Certificates | undefined;
}

/** Name of the revision that identifies the certificate, if one is used. */
const CERTIFICATE = "certificates";

/** nginx or Caddy in front of Synapse: serves the public names, and only the public paths. Stateless. */
export class ReverseProxy extends pulumi.ComponentResource {
  readonly release: Release;

  constructor(name: string, args: ReverseProxyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:proxy:ReverseProxy", name, {}, opts);
    const { config, machine, homeserver, certificates, link } = args;
    const certificate = certificates === undefined ? [] : [`revision:${CERTIFICATE}`];
    const { parts } = machine.service(
      (facts, [layout, places]) =>
        proxySpec(config, {
          ...{ plan: planOf(args, facts), facts, certificate },
          ...{ tlsFolder: tlsFolder(places), acme: certificates?.renewal !== undefined, homeserver: layout },
        }),
      pulumi.all([homeserver.layout, machine.places]),
    );
    // A container needs the private network, which the homeserver's release creates.
    const before = machine.runtime === "quadlet" ? [homeserver.release] : [];
    const after = certificates === undefined ? [] : [certificates.release];
    const linked = link === undefined ? [] : Object.values(link.releases);
    this.release = serviceRelease(
      name,
      "proxy",
      machine,
      parts,
      { parent: this, dependsOn: [...machine.ready, ...before, ...after, ...linked] },
      { revisions: certificates === undefined ? {} : { [CERTIFICATE]: certificates.revision } },
    );
    this.registerOutputs({ digest: this.release.digest });
  }
}

function planOf(
  { config, homeserver, homeserverConfig, delegation, link }: ReverseProxyArgs,
  { ipv6 = true }: Partial<Pick<HostFacts, "ipv6">>,
): ProxyPlan {
  return {
    ipv6,
    serverName: homeserverConfig.serverName,
    publicHost: homeserverConfig.publicHost,
    upstream: link?.reached ?? homeserver.socket,
    maxUploadBytes: parseSize(homeserverConfig.media.maxUploadSize),
    readTimeout: config.readTimeout,
    federationPort: config.federationPort,
    ...(delegation.servedHere ? { documents: delegation.documents } : {}),
  };
}
