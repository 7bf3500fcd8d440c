import type { Row } from "./row";

const ROOTLESS = {
  proxy: { kind: "caddy", listen: { address: "::", port: 8443 } },
} as const;

function onRootlessHost(become: "none" | "sudo", enabled = true) {
  return {
    ...ROOTLESS,
    hosts: { vps: { user: "debian", become, runtime: "quadlet" } },
    firewall: { host: "vps", enabled },
  };
}

export const FIREWALL: Row[] = [
  {
    rule: "only root sets a firewall",
    good: onRootlessHost("sudo"),
    bad: onRootlessHost("none"),
    says: [
      "hearth:firewall.host: is vps, where Hearth never becomes root (`runtime: quadlet`, `become: none`), but only root may set a firewall | write `become: sudo` for the host, or remove hearth:firewall",
    ],
  },
  {
    rule: "a change of the firewall is confirmed in time",
    good: { firewall: { host: "vps", confirm: "10m" } },
    bad: { firewall: { host: "vps", confirm: "9s" } },
    says: [
      "hearth:firewall.confirm: is 9s, but a login needs some seconds, and a longer wait than 10m only prolongs a mistake | write a time from 10s to 10m, e.g. 30s",
    ],
  },
];
