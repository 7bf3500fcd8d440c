import { containerPackages, type HostFacts, hostFacts, questions } from "../../components/hosts/facts";
import { lockedRequirements, lockedVersions } from "../../config-schemas/homeserver/synapse-locks";
import { columnOf, DISTRIBUTIONS } from "../../hosts/distributions";
import { answers } from "../../plan/answers";
import { DEBIAN_12, DEBIAN_13 } from "../support/program";

const cluster = (name: string, port: number, socket: string) => ({ postgresCluster: { name, port, socket } });

describe("the facts that components use", () => {
  it.each<[string, HostFacts]>([
    ["a new host", DEBIAN_13],
    ["the older distribution", DEBIAN_12],
    ["a cluster", { ...DEBIAN_13, ...cluster("hearth", 5434, "/srv/sockets") }],
    ["a cluster without a socket", { ...DEBIAN_13, ...cluster("main", 5432, "") }],
    ["Tailscale from a package", { ...DEBIAN_13, tailscale: "package" }],
    ["Tailscale installed in another way", { ...DEBIAN_13, tailscale: "other" }],
    ["two ports of sshd", { ...DEBIAN_13, sshPorts: [22, 2222] }],
    ["no sshd", { ...DEBIAN_13, sshPorts: [] }],
    ["a distribution without these packages", { ...DEBIAN_13, postgres: 0, nginx: "", python: "" }],
  ])("follow from the answers of a host: %s", (_what, facts) => {
    expect(hostFacts(answers(facts))).toEqual(facts);
  });

  it("[A1] are unchanged if they come from the state of an earlier version", () => {
    expect(hostFacts(DEBIAN_13)).toEqual(DEBIAN_13);
  });

  it("contain the part of a package's version that a release needs", () => {
    const packages = { python3: "3.13.5", postgresql: "17", nginx: "1.26.3" };
    expect(hostFacts({ ...answers(DEBIAN_13), packages })).toEqual(DEBIAN_13);
  });

  it.each(["17 main", "17 main 5432 /run/$(id)", "17 ma/in 5432 /run", "x main 5432 /run", ""])(
    "contain no cluster if the answer is invalid: %j",
    (line) => {
      const given = answers(DEBIAN_13);
      const seen = hostFacts({ ...given, programs: { ...given.programs, "postgres-clusters": line } });
      expect(seen).toEqual(DEBIAN_13);
    },
  );
});

it("[W6] only a host whose services are packages is asked for its Postgres clusters", () => {
  expect(Object.keys(questions("native").ask.programs)).toContain("postgres-clusters");
  expect(Object.keys(questions("quadlet").ask.programs)).not.toContain("postgres-clusters");
});

it.each(["22;", "ssh", "22,,23", "22 23", ""])(
  "[V11] an answer that is no list of ports opens none: %j",
  (line) => {
    const seen = hostFacts({ ...answers(DEBIAN_13), programs: { "ssh-ports": line } });
    expect(seen.sshPorts).toEqual([]);
  },
);

it("[V11] only a host that gets a firewall is asked for the ports of its sshd", () => {
  for (const runtime of ["native", "quadlet"] as const) {
    expect(Object.keys(questions(runtime).ask.programs)).not.toContain("ssh-ports");
    expect(Object.keys(questions(runtime, true).ask.programs)).toContain("ssh-ports");
  }
});

it("what containers need comes from the host's distribution", () => {
  expect(containerPackages(DEBIAN_13)).toMatchObject({ podman: "any", uidmap: "any", passt: "any" });
});

describe.each(Object.entries(DISTRIBUTIONS))("the column %s", (key, column) => {
  const [distribution = "", release = ""] = key.split(":");
  const facts = { ...DEBIAN_13, distribution, release };

  it("is found by the values of os-release", () => {
    expect(columnOf({ distribution, release })).toBe(column);
  });

  it("runs no packages, or has locks of Synapse for its Python", () => {
    if (column.refused.native !== undefined) return;
    const python = column.offers.python3 ?? "";
    const missing = lockedVersions().filter((version) =>
      ["amd64", "arm64"].some((machine) => lockedRequirements(version, python, machine) === undefined),
    );
    expect([python, missing]).toEqual([expect.stringMatching(/^3\.\d+$/), []]);
  });

  it("names the packages that the host is asked for", () => {
    expect(hostFacts(answers(facts))).toEqual(facts);
    const { packages } = questions("native").ask;
    expect(packages).toEqual(
      expect.arrayContaining([column.python.package, column.postgres.package, column.nginx.package]),
    );
  });

  it("has Podman for containers, and its versions use the names of its packages", () => {
    expect(column.containers).toContain("podman");
    const own = [column.python.package, column.postgres.package, column.nginx.package, "podman"];
    expect(own).toEqual(expect.arrayContaining(Object.keys(column.offers)));
  });
});

it("a rolling distribution has a column without a release, even if its image names one", () => {
  expect(columnOf({ distribution: "arch", release: "20260101.0" })).toBe(DISTRIBUTIONS.arch);
});

it("a runtime that is not supported yet is refused, the other one is not", () => {
  expect(questions("native").distributions.arch?.refused).toMatch(
    /^runtime native is not supported there yet/,
  );
  expect(questions("quadlet").distributions.arch?.refused).toBe("");
});
