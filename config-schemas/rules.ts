import type { AnyRule } from "./rule";
import { containerRules } from "./rules-containers";
import { dnsRules } from "./rules-dns";
import { federationRules } from "./rules-federation";
import { homeserverRules } from "./rules-homeserver";
import { hostRules } from "./rules-hosts";
import { inactivityRules } from "./rules-inactivity";
import { maintenanceRules } from "./rules-maintenance";
import { postgresRules } from "./rules-postgres";
import { proxyRules } from "./rules-proxy";
import { registrationRules } from "./rules-registration";
import { roomRules } from "./rules-rooms";
import { tunnelRules } from "./rules-tunnel";

/** Everything about a stack that goes beyond one key; all of them are asked, and all faults are reported together. */
export const rules: readonly AnyRule[] = [
  ...hostRules,
  ...containerRules,
  ...homeserverRules,
  ...registrationRules,
  ...federationRules,
  ...postgresRules,
  ...proxyRules,
  ...tunnelRules,
  ...dnsRules,
  ...roomRules,
  ...maintenanceRules,
  ...inactivityRules,
];
