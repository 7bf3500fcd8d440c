import { columnOf, DISTRIBUTIONS } from "../../hosts/distributions";
import type { HostInputs, MachineFacts } from "../../provider/sdk";
import { SYSTEM_PLACES } from "../../runtimes/places";
import { programText } from "../../runtimes/programs";

/** Facts of a host as components use them. */
export interface HostFacts extends Omit<MachineFacts, "packages" | "installed" | "programs"> {
  /** Version of the Python that the distribution offers, e.g. `3.13`. */
  python: string;
  /** Major version of the Postgres cluster to use, else of the package that the distribution offers, e.g. 17 (0: none). */
  postgres: number;
  /** The cluster for that major version: there, or to be made. Absent where Hearth is not root, and in older states. */
  postgresCluster?: PostgresCluster;
  /** Version of nginx that the distribution offers, e.g. `1.26.3` (empty: none). */
  nginx: string;
  /** Whether tailscaled is there: not (empty), from a package, or put there in another way. */
  tailscale: "" | "package" | "other";
}

/** A Postgres cluster of Debian's packages. */
export interface PostgresCluster {
  /** Its name: `main`, or `hearth` next to one that others use. */
  name: string;
  port: number;
  /** Directory of its socket (empty: it has none). */
  socket: string;
}

/** What components need to know of a host before they can say what they want there. */
export function questions(runtime: "native" | "quadlet"): Pick<HostInputs, "distributions" | "ask"> {
  const programs = {
    tailscaled: { content: programText("tunnel", "questions/tailscaled.sh"), arguments: [] },
    // Only root may look, and containers have a cluster of their own.
    ...(runtime === "native" ? { "postgres-clusters": clusterQuestion() } : {}),
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

/** What any distribution calls the packages whose versions are facts. */
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

/** The facts, from what a host answered to {@link questions}. States of earlier versions have them as they are. */
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
    nginx: version("nginx"),
    tailscale: installed.includes("tailscale") ? "package" : other,
  };
}

/** Major version, name, port and socket directory; the program checks each of them, and so does this. */
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

/** What containers need on the distribution of that host, as a Release takes it. */
export function containerPackages(facts: HostFacts): Record<string, string> {
  return Object.fromEntries(columnOf(facts).containers.map((name) => [name, "any"]));
}
