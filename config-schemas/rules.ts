import { backupRules } from "./backup/rules";
import { certificateRules } from "./certificates/rules";
import { dnsRules } from "./dns/rules";
import { firewallRules } from "./firewall/rules";
import { homeserverRules } from "./homeserver/rules";
import { federationRules } from "./homeserver/rules-federation";
import { registrationRules } from "./homeserver/rules-registration";
import { hostRules } from "./hosts/rules";
import { containerRules } from "./hosts/rules-containers";
import { inactivityRules } from "./inactivity/rules";
import type { AnyRule } from "./language/rule";
import { maintenanceRules } from "./maintenance/rules";
import { postgresRules } from "./postgres/rules";
import { proxyRules } from "./proxy/rules";
import { roomRules } from "./rooms/rules";
import { tunnelRules } from "./tunnel/rules";

/** All rules between keys of a stack; every rule is checked, and all faults are reported together. */
export const rules: readonly AnyRule[] = [
  ...hostRules,
  ...containerRules,
  ...homeserverRules,
  ...registrationRules,
  ...federationRules,
  ...postgresRules,
  ...proxyRules,
  ...certificateRules,
  ...tunnelRules,
  ...dnsRules,
  ...firewallRules,
  ...roomRules,
  ...maintenanceRules,
  ...inactivityRules,
  ...backupRules,
];
