import { parseDuration } from "../language/common";
import { type AnyRule, at, rule } from "../language/rule";

/** How long a host may wait for the confirmation of a change, s; the provider has the same limits. */
const WAIT = { least: 10, most: 600 };

/** Rules about the firewall. */
export const firewallRules: readonly AnyRule[] = [
  rule({
    name: "only root sets a firewall",
    needs: ["hosts", "firewall"],
    when: ({ hosts, firewall }) => {
      const host = hosts[firewall?.host ?? ""];
      const rootless = host?.runtime === "quadlet" && host.become === "none";
      return at(firewall?.enabled === true && rootless, "firewall", "host");
    },
    message: ({ firewall }) =>
      `is ${firewall?.host}, where Hearth never becomes root (\`runtime: quadlet\`, \`become: none\`), but only root may set a firewall`,
    fix: "write `become: sudo` for the host, or remove hearth:firewall",
  }),
  rule({
    name: "a change of the firewall is confirmed in time",
    needs: ["firewall"],
    when: ({ firewall }) => {
      const seconds = parseDuration(firewall?.confirm ?? `${WAIT.least}s`);
      return at(seconds < WAIT.least || seconds > WAIT.most, "firewall", "confirm");
    },
    message: ({ firewall }) =>
      `is ${firewall?.confirm}, but a login needs some seconds, and a longer wait than 10m only prolongs a mistake`,
    fix: "write a time from 10s to 10m, e.g. 30s",
  }),
];
