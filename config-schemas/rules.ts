import type { AnyRule } from "./rule";
import { federationRules } from "./rules-federation";
import { homeserverRules } from "./rules-homeserver";
import { hostRules } from "./rules-hosts";
import { postgresRules } from "./rules-postgres";
import { registrationRules } from "./rules-registration";

/** Everything about a stack that goes beyond one key; all of them are asked, and all faults are reported together. */
export const rules: readonly AnyRule[] = [
  ...hostRules,
  ...homeserverRules,
  ...registrationRules,
  ...federationRules,
  ...postgresRules,
];
