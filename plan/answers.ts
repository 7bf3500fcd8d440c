import type { HostFacts } from "../components/hosts/facts";
import { columnOf } from "../hosts/distributions";
import type { MachineFacts } from "../provider/sdk";

/** What a host of which these are the facts answers to what components ask (`components/hosts/facts.ts`). */
export function answers(known: HostFacts): MachineFacts {
  const { python, postgres, postgresCluster, nginx, tailscale, sshPorts, ...facts } = known;
  const column = columnOf(facts);
  const packages = {
    [column.python.package]: python,
    [column.postgres.package]: postgres === 0 ? "" : String(postgres),
    [column.nginx.package]: nginx,
  };
  const programs = {
    tailscaled: tailscale === "" ? "" : "there",
    ...(postgresCluster === undefined ? {} : { "postgres-clusters": line(postgres, postgresCluster) }),
    ...(sshPorts === undefined ? {} : { "ssh-ports": sshPorts.join(",") || "-" }),
  };
  return { ...facts, packages, installed: tailscale === "package" ? ["tailscale"] : [], programs };
}

function line(major: number, { name, port, socket }: NonNullable<HostFacts["postgresCluster"]>): string {
  return [major, name, port, socket === "" ? "-" : socket].join(" ");
}
