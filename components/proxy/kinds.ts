import type { ProxyModel } from "../../config-schemas/proxy/schema";
import type { Layout } from "../../runtimes/layout";
import type { ServiceSpec } from "../../runtimes/service";
import type { HostFacts } from "../hosts/facts";
import { caddySpec } from "./caddy-spec";
import { nginxSpec } from "./nginx-spec";
import type { ProxyPlan } from "./plan";

/** The values that every kind of proxy needs. */
export interface ProxyArgs {
  plan: ProxyPlan;
  facts: Pick<HostFacts, "nginx" | "distribution" | "release">;
  /** Subjects that change with the certificate; empty: this proxy does not end TLS. */
  certificate: readonly string[];
  /** Folder of the operator's certificate on the host. */
  tlsFolder: string;
  /** Whether the host gets and renews the certificate itself, with ACME. */
  acme: boolean;
  /** Paths of the homeserver. */
  homeserver: Pick<Layout, "host">;
}

/** The proxy of the kind that the stack file names. */
export function proxySpec(config: ProxyModel, args: ProxyArgs): ServiceSpec {
  switch (config.kind) {
    case "nginx":
      return nginxSpec(args);
    case "caddy":
      return caddySpec({ ...args, config });
  }
}
