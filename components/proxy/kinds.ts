import type { ProxyConfig } from "../../config-schemas/proxy/schema";
import type { Layout } from "../../runtimes/layout";
import type { ServiceSpec } from "../../runtimes/service";
import type { HostFacts } from "../hosts/facts";
import { caddySpec } from "./caddy-spec";
import { nginxSpec } from "./nginx-spec";
import type { ProxyPlan } from "./plan";

/** What a proxy of any kind is made of. */
export interface ProxyArgs {
  plan: ProxyPlan;
  config: ProxyConfig;
  facts: Pick<HostFacts, "nginx" | "distribution" | "release">;
  /** Subjects that stand for the certificate; none: TLS ends elsewhere. */
  certificate: readonly string[];
  /** Folder of the certificate on the host. */
  tlsFolder: string;
  /** Where the homeserver's things are. */
  homeserver: Pick<Layout, "host">;
}

/** The proxies by their word in the stack file. */
export const PROXIES: Readonly<Record<ProxyConfig["kind"], (args: ProxyArgs) => ServiceSpec>> = {
  nginx: nginxSpec,
  caddy: caddySpec,
};
