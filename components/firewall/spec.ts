import { columnOf } from "../../hosts/distributions";
import { unitCheck } from "../../runtimes/native";
import { SYSTEM_PLACES } from "../../runtimes/places";
import type { ServiceSpec } from "../../runtimes/service";
import type { HostFacts } from "../hosts/facts";
import { type FirewallPlan, renderRules, renderUnit, TABLE } from "./render";

/** Name of component, release and folders. */
export const SERVICE = "firewall";

const UNIT = "hearth-firewall.service";
const RULES = "rules.nft";

/** A table of nftables, which a unit loads at boot. */
export function firewallSpec(
  plan: FirewallPlan,
  facts: Pick<HostFacts, "distribution" | "release">,
): ServiceSpec {
  const { nftables } = columnOf(facts);
  const unitFile = `${SYSTEM_PLACES.units}/${UNIT}`;
  return {
    name: SERVICE,
    description: "Firewall",
    programs: {
      native: () => ({
        unit: UNIT,
        packages: { [nftables.package]: "any" },
        unitFiles: ({ inside }) => ({ [unitFile]: renderUnit(nftables.program, inside.config(RULES)) }),
        preflights: ({ host }) => ({
          others: { program: host.program("other_rulers.sh"), arguments: [TABLE] },
        }),
        validators: () => ({ "20-unit": unitCheck(unitFile) }),
      }),
    },
    files: [{ name: RULES, change: "reload", text: () => renderRules(plan) }],
    // The kernel reads the rules, and loads none of them.
    checks: {
      "10-nft": {
        argv: ({ inside }) => [nftables.program, "--check", "--file", inside.config(RULES)],
        timeoutSeconds: 30,
      },
    },
    health: ({ host }) => ({
      kind: "command",
      argv: ["/bin/sh", host.program("in_force.sh"), nftables.program, host.config(RULES), TABLE],
      timeoutSeconds: 20,
    }),
  };
}
