import type { AccountModel } from "./accounts/schema";
import { backupWithSecret } from "./backup/rules";
import type { BackupConfig } from "./backup/schema";
import { clientInContainer, dnsWithKey } from "./dns/rules";
import type { DnsConfig } from "./dns/schema";
import type { FirewallConfig } from "./firewall/schema";
import { GivenSecret } from "./given-secrets";
import { accountPasswords, captchaKey, mailLogin } from "./homeserver/rules-registration";
import { type HomeserverConfig, homeserverImage } from "./homeserver/schema";
import { servingHosts } from "./hosts/rules";
import type { HostConfig } from "./hosts/schema";
import type { InactivityConfig } from "./inactivity/schema";
import { jobsInContainers } from "./maintenance/rules";
import type { MaintenanceConfig } from "./maintenance/schema";
import { proxyOfKind } from "./proxy/rules";
import type { FullStack, StackConfig } from "./stack";
import { tunnelTarget } from "./tunnel/rules";
import { type LinkAddresses, linkAddresses } from "./tunnel/rules-wireguard";
import type { FunnelConfig, WireguardConfig } from "./tunnel/schema";

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
export type DnsModel = DnsConfig & { apiKey: GivenSecret; dynamic: DynamicDnsModel | undefined };

export type FunnelModel = FunnelConfig & {
  /** Key with which the host joins the tailnet; undefined: a person logs in with a link. */
  authKey: GivenSecret | undefined;
  /** Where the proxy listens, with plain HTTP. */
  target: { address: string; port: number };
};

export type WireguardModel = WireguardConfig & {
  addresses: LinkAddresses;
  /** Name or address at which the homeserver's host reaches the edge. */
  endpoint: string;
};

export type TunnelModel = FunnelModel | WireguardModel;

/** Backups with the secret with which the host logs in at their target; undefined: the target needs none. */
export type BackupModel = BackupConfig & { secret: GivenSecret | undefined };

/** The operator's secrets for the homeserver, each if its section needs it. */
export interface HomeserverSecrets {
  captchaKey?: GivenSecret | undefined;
  /** With a login, all settings for mail are secret together. */
  mail?: { email: NonNullable<HomeserverConfig["email"]>; password: GivenSecret } | undefined;
}

/** A stack that follows all rules: what they proved is in its types, so that components check none of it again. */
export interface StackModel extends StackConfig {
  /** The hosts of the homeserver and of its proxy; all other services are on the homeserver's host. */
  serving: { homeserver: NamedHost; proxy: NamedHost };
  /** Passwords for sudo by host; absent: sudo needs none there. */
  sudo: ReadonlyMap<string, GivenSecret>;
  homeserverSecrets: HomeserverSecrets;
  accounts: Readonly<Record<string, AccountModel>>;
  tunnel: TunnelModel | undefined;
  dns: DnsModel | undefined;
  /** Absent also if the stack switches it off. */
  firewall: FirewallConfig | undefined;
  maintenance: MaintenanceModel | undefined;
  inactivity: InactivityModel | undefined;
  backup: BackupModel | undefined;
}

/** The rules that prove what the model adds to the sections. */
export const PROOFS = {
  ...{ servingHosts, jobsInContainers, clientInContainer },
  ...{ proxyOfKind, tunnelTarget, linkAddresses },
  ...{ accountPasswords, captchaKey, mailLogin, dnsWithKey, backupWithSecret },
};

/** The model of a stack; undefined if the stack breaks a rule. */
export function modelOf(stack: FullStack): StackModel | undefined {
  const serving = PROOFS.servingHosts.prove(stack);
  const jobs = PROOFS.jobsInContainers.prove(stack);
  const client = PROOFS.clientInContainer.prove(stack);
  const proxy = PROOFS.proxyOfKind.prove(stack);
  const target = PROOFS.tunnelTarget.prove(stack);
  const link = PROOFS.linkAddresses.prove(stack);
  const accounts = PROOFS.accountPasswords.prove(stack);
  const captcha = PROOFS.captchaKey.prove(stack);
  const mail = PROOFS.mailLogin.prove(stack);
  const dns = PROOFS.dnsWithKey.prove(stack);
  const backup = PROOFS.backupWithSecret.prove(stack);
  if (!serving.ok || !jobs.ok || !client.ok || !proxy.ok || !target.ok || !link.ok) return undefined;
  if (!accounts.ok || !captcha.ok || !mail.ok || !dns.ok || !backup.ok) return undefined;
  const { secrets, ...config } = stack;
  const { maintenance, inactivity } = jobs.value;
  const image = homeserverImage(config.homeserver);
  return {
    ...config,
    serving: serving.value,
    sudo: new Map(Object.entries(secrets.sudo).map(([host, text]) => [host, new GivenSecret(text)])),
    homeserverSecrets: { captchaKey: captcha.value, mail: mail.value },
    accounts: accounts.value,
    proxy: proxy.value,
    tunnel: tunnelModel(stack, target.value, link.value),
    dns: dns.value && { ...dns.value, dynamic: client.value && { ...client.value, image } },
    firewall: config.firewall?.enabled ? config.firewall : undefined,
    maintenance: maintenance && { ...maintenance, image },
    inactivity: inactivity && { ...inactivity, image },
    backup: backup.value,
  };
}

function tunnelModel(
  { tunnel, homeserver, secrets }: FullStack,
  target: FunnelModel["target"] | undefined,
  addresses: LinkAddresses | undefined,
): TunnelModel | undefined {
  if (tunnel?.kind === "tailscale-funnel" && target !== undefined) {
    return { ...tunnel, target, authKey: secrets.tunnel && new GivenSecret(secrets.tunnel.authKey) };
  }
  if (tunnel?.kind === "wireguard" && addresses !== undefined) {
    return { ...tunnel, addresses, endpoint: tunnel.endpoint ?? homeserver.publicHost };
  }
  return undefined;
}
