import { clientInContainer } from "./dns/rules";
import type { DnsConfig } from "./dns/schema";
import { homeserverImage } from "./homeserver/schema";
import { servingHost } from "./hosts/rules";
import type { HostConfig } from "./hosts/schema";
import type { InactivityConfig } from "./inactivity/schema";
import { jobsInContainers } from "./maintenance/rules";
import type { MaintenanceConfig } from "./maintenance/schema";
import type { FullStack, StackConfig } from "./stack";

/** A host with its name in the stack file. */
export interface NamedHost {
  name: string;
  config: HostConfig;
}

/** Jobs that run in containers. */
interface InContainers {
  /** The homeserver's image, which has Python. */
  image: string;
}

export type MaintenanceModel = MaintenanceConfig & InContainers;
export type InactivityModel = InactivityConfig & InContainers;
export type DynamicDnsModel = NonNullable<DnsConfig["dynamic"]> & InContainers;
export type DnsModel = DnsConfig & { dynamic: DynamicDnsModel | undefined };

/** A stack that follows all rules: what they proved is in its types, so that components check none of it again. */
export interface StackModel extends StackConfig {
  /** The host of all services. */
  serving: NamedHost;
  dns: DnsModel | undefined;
  maintenance: MaintenanceModel | undefined;
  inactivity: InactivityModel | undefined;
}

/** The rules that prove what the model adds to the sections. */
export const PROOFS = { servingHost, jobsInContainers, clientInContainer };

/** The model of a stack; undefined if the stack breaks a rule. */
export function modelOf(stack: FullStack): StackModel | undefined {
  const serving = PROOFS.servingHost.prove(stack);
  const jobs = PROOFS.jobsInContainers.prove(stack);
  const client = PROOFS.clientInContainer.prove(stack);
  if (!serving.ok || !jobs.ok || !client.ok) return undefined;
  const { secrets: _, dns, ...config } = stack;
  const { maintenance, inactivity } = jobs.value;
  const image = homeserverImage(config.homeserver);
  return {
    ...config,
    serving: serving.value,
    dns: dns && { ...dns, dynamic: client.value && { ...client.value, image } },
    maintenance: maintenance && { ...maintenance, image },
    inactivity: inactivity && { ...inactivity, image },
  };
}
