import * as pulumi from "@pulumi/pulumi";
import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { parseSize } from "../../config-schemas/language/common";
import type { ProxyConfig } from "../../config-schemas/proxy/schema";
import { Release } from "../../provider/sdk";
import { endpoint } from "../../runtimes/listener";
import type { Certificates } from "../certificates";
import type { Delegation } from "../delegation";
import type { Homeserver } from "../homeserver";
import type { Machine } from "../hosts";
import { nativeProxy } from "./native";
import { CERTIFICATE_REVISION, type ProxyParts, SERVICE } from "./parts";
import type { ProxyPlan } from "./plan";
import { quadletProxy } from "./quadlet";

export interface ProxyArgs {
  config: ProxyConfig;
  machine: Machine;
  homeserver: Homeserver;
  homeserverConfig: HomeserverConfig;
  delegation: Delegation;
  /** Absent behind a tunnel that ends TLS. */
  certificates?: Certificates | undefined;
}

/** nginx or Caddy in front of Synapse: the public names, and only the paths that the world may reach. Stateless. */
export class ReverseProxy extends pulumi.ComponentResource {
  readonly release: Release;
  /** Where a tunnel on the same machine leads to; undefined: TLS ends here, so no tunnel does. */
  readonly localUrl: string | undefined;

  constructor(name: string, args: ProxyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:proxy:ReverseProxy", name, {}, opts);
    const { config, machine, homeserver, certificates } = args;
    this.localUrl = certificates === undefined ? `http://${endpoint(config.listen)}` : undefined;
    const parts = this.partsOf(args);
    // A container needs the private network, which comes with the homeserver's.
    const before = machine.runtime === "quadlet" ? [homeserver.release] : [];
    this.release = new Release(
      name,
      {
        connection: machine.connection,
        scope: machine.places.scope,
        release: SERVICE,
        packages: parts.packages,
        directories: parts.directories,
        files: parts.files,
        images: parts.images,
        units: parts.units,
        ports: parts.ports,
        preflights: parts.preflights,
        revisions: certificates === undefined ? {} : { [CERTIFICATE_REVISION]: certificates.release.digest },
        validators: parts.validators,
        health: parts.health,
      },
      {
        parent: this,
        dependsOn: [
          ...machine.ready,
          ...before,
          ...(certificates === undefined ? [] : [certificates.release]),
        ],
      },
    );
    this.registerOutputs({ digest: this.release.digest });
  }

  /** What the machine's runtime makes of it. */
  private partsOf(args: ProxyArgs): pulumi.Output<ProxyParts> {
    const { config, machine, certificates } = args;
    const plan = planOf(args);
    return pulumi.all([machine.facts, machine.places]).apply(([{ nginx, ipv6 = true }, places]) => {
      if (config.kind === "nginx") return nativeProxy({ ...plan, ipv6, nginx });
      return quadletProxy({ plan: { ...plan, ipv6 }, config, tls: certificates !== undefined }, places);
    });
  }
}

function planOf({ config, homeserver, homeserverConfig, delegation }: ProxyArgs): Omit<ProxyPlan, "ipv6"> {
  return {
    serverName: homeserverConfig.serverName,
    publicHost: homeserverConfig.publicHost,
    upstream: homeserver.socket,
    maxUploadBytes: parseSize(homeserverConfig.media.maxUploadSize),
    readTimeout: config.readTimeout,
    federationPort: config.federationPort,
    ...(delegation.servedHere ? { documents: delegation.documents } : {}),
  };
}
