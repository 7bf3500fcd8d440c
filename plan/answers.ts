import type { HostFacts } from "../components/hosts/facts";
import type { MachineFacts } from "../provider/sdk";

/** What a host of which these are the facts answers to what components ask (`components/hosts/facts.ts`). */
export function answers(known: HostFacts): MachineFacts {
  const { python, postgres, postgresCluster, nginx, tailscale, ...facts } = known;
  const packages = { python3: python, postgresql: postgres === 0 ? "" : String(postgres), nginx };
  const programs = {
    tailscaled: tailscale === "" ? "" : "there",
    ...(postgresCluster === undefined ? {} : { "postgres-clusters": line(postgres, postgresCluster) }),
  };
  return { ...facts, packages, installed: tailscale === "package" ? ["tailscale"] : [], programs };
}

function line(major: number, { name, port, socket }: NonNullable<HostFacts["postgresCluster"]>): string {
  return [major, name, port, socket === "" ? "-" : socket].join(" ");
}
