import { columnOf, DISTRIBUTIONS } from "../../hosts/distributions";
import type { HostInputs, MachineFacts } from "../../provider/sdk";
import { SYSTEM_PLACES } from "../../runtimes/places";
import { programText } from "../../runtimes/programs";

/** Facts of a host as components use them. */
export interface HostFacts extends Omit<MachineFacts, "packages" | "installed" | "programs"> {
  /** Version of the Python that the distribution offers, e.g. `3.13`. */
  python: string;
  /** Major version of the Postgres cluster to use, or else of the distribution's package, e.g. 17 (0: none). */
  postgres: number;
  /** The cluster to use: it exists, or Hearth will create it. Absent if Hearth is not root, and in older states. */
  postgresCluster?: PostgresCluster;
  /** Version of nginx that the distribution offers, e.g. `1.26.3` (empty: none). */
  nginx: string;
  /** How tailscaled was installed: not (empty), from a package, or in another way. */
  tailscale: "" | "package" | "other";
  /** TCP ports where the host can be reached by ssh. Absent: not asked. */
  sshPorts?: readonly number[];
}

/** A Postgres cluster from Debian's packages. */
export interface PostgresCluster {
  /** Its name: `main`, or `hearth` if others use that one. */
  name: string;
  port: number;
  /** Directory of its socket (empty: it has none). */
  socket: string;
}

/**
 * The facts that components need about a host before they can plan anything for it.
 * @param firewall whether the host gets a firewall
 */
export function questions(
  runtime: "native" | "quadlet",
  firewall = false,
): Pick<HostInputs, "distributions" | "ask"> {
  const programs = {
    tailscaled: { content: programText("tunnel", "questions/tailscaled.sh"), arguments: [] },
    // Only root may see the clusters, and containers have their own.
    ...(runtime === "native" ? { "postgres-clusters": clusterQuestion() } : {}),
    ...(firewall
      ? { "ssh-ports": { content: programText("firewall", "questions/ssh_ports.sh"), arguments: [] } }
      : {}),
  };
  return {
    distributions: Object.fromEntries(
      Object.entries(DISTRIBUTIONS).map(([key, { title, offers, containers, refused }]) => [
        key,
        { title, offers: { ...offers }, containers: [...containers], refused: refused[runtime] ?? "" },
      ]),
    ),
    ask: { packages: packageNames(), installed: ["tailscale"], programs },
  };
}

/** The names, in all distributions, of the packages whose versions are facts. */
function packageNames(): string[] {
  const names = Object.values(DISTRIBUTIONS).flatMap(({ nginx, postgres, python }) => [
    ...[nginx.package, postgres.package, python.package],
  ]);
  return [...new Set(names)].sort();
}

function clusterQuestion() {
  return {
    content: programText("postgres", "questions/clusters.sh"),
    arguments: [`${SYSTEM_PLACES.state}/identity`],
  };
}

/** The facts from a host's answers to {@link questions}. States of earlier versions contain the facts themselves. */
export function hostFacts(answers: MachineFacts | HostFacts): HostFacts {
  if (!("packages" in answers)) return answers;
  const { packages, installed, programs, ...facts } = answers;
  const column = columnOf(facts);
  const version = (role: "nginx" | "postgres" | "python") => packages[column[role].package] ?? "";
  const other = programs.tailscaled === "there" ? "other" : "";
  return {
    ...facts,
    python: version("python").split(".").slice(0, 2).join("."),
    postgres: Number.parseInt(version("postgres"), 10) || 0,
    ...clusterOf(programs["postgres-clusters"] ?? ""),
    ...sshPortsOf(programs["ssh-ports"]),
    nginx: version("nginx"),
    tailscale: installed.includes("tailscale") ? "package" : other,
  };
}

/** Major version, name, port and socket directory; the program checks them too. */
const CLUSTER = /^(\d+) ([A-Za-z0-9_.]+) (\d+) (-|\/[A-Za-z0-9_./-]+)$/;

function clusterOf(line: string): Partial<Pick<HostFacts, "postgres" | "postgresCluster">> {
  const [, major, name, port, socket] = CLUSTER.exec(line) ?? [];
  if (name === undefined) return {};
  return {
    postgres: Number(major),
    postgresCluster: {
      name,
      port: Number(port),
      socket: socket === "-" || socket === undefined ? "" : socket,
    },
  };
}

function sshPortsOf(line: string | undefined): Pick<HostFacts, "sshPorts"> {
  if (line === undefined) return {};
  return { sshPorts: /^\d+(,\d+)*$/.test(line) ? line.split(",").map(Number) : [] };
}

/** The packages that containers need on the host's distribution, as inputs of a Release. */
export function containerPackages(facts: HostFacts): Record<string, string> {
  return Object.fromEntries(columnOf(facts).containers.map((name) => [name, "any"]));
}
