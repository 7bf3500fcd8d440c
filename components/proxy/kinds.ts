import type { ProxyConfig } from "../../config-schemas/proxy/schema";
import type { Layout } from "../../runtimes/layout";
import type { ServiceSpec } from "../../runtimes/service";
import type { HostFacts } from "../hosts/facts";
import { caddySpec } from "./caddy-spec";
import { nginxSpec } from "./nginx-spec";
import type { ProxyPlan } from "./plan";

/** The values that every kind of proxy needs. */
export interface ProxyArgs {
  plan: ProxyPlan;
  config: ProxyConfig;
  facts: Pick<HostFacts, "nginx" | "distribution" | "release">;
  /** Subjects that change with the certificate; empty: this proxy does not end TLS. */
  certificate: readonly string[];
  /** Folder of the certificate on the host. */
  tlsFolder: string;
  /** Paths of the homeserver. */
  homeserver: Pick<Layout, "host">;
}

/** The proxies by their word in the stack file. */
export const PROXIES: Readonly<Record<ProxyConfig["kind"], (args: ProxyArgs) => ServiceSpec>> = {
  nginx: nginxSpec,
  caddy: caddySpec,
};
