import { containerPackages, type HostFacts, hostFacts, questions } from "../../components/hosts/facts";
import { columnOf, DISTRIBUTIONS } from "../../hosts/distributions";
import { answers } from "../../plan/answers";
import { DEBIAN_12, DEBIAN_13 } from "../support/program";

const cluster = (name: string, port: number, socket: string) => ({ postgresCluster: { name, port, socket } });

describe("the facts that components use", () => {
  it.each<[string, HostFacts]>([
    ["a fresh host", DEBIAN_13],
    ["the older distribution", DEBIAN_12],
    ["a cluster", { ...DEBIAN_13, ...cluster("hearth", 5434, "/srv/sockets") }],
    ["a cluster without a socket", { ...DEBIAN_13, ...cluster("main", 5432, "") }],
    ["Tailscale from a package", { ...DEBIAN_13, tailscale: "package" }],
    ["Tailscale put there in another way", { ...DEBIAN_13, tailscale: "other" }],
    ["nothing offered", { ...DEBIAN_13, postgres: 0, nginx: "", python: "" }],
  ])("come out of the answers of a host: %s", (_what, facts) => {
    expect(hostFacts(answers(facts))).toEqual(facts);
  });

  it("[A1] are those of an earlier version's state as they are", () => {
    expect(hostFacts(DEBIAN_13)).toEqual(DEBIAN_13);
  });

  it("say of the packages' own versions what a release needs to know", () => {
    const packages = { python3: "3.13.5", postgresql: "17", nginx: "1.26.3" };
    expect(hostFacts({ ...answers(DEBIAN_13), packages })).toEqual(DEBIAN_13);
  });

  it.each(["17 main", "17 main 5432 /run/$(id)", "17 ma/in 5432 /run", "x main 5432 /run", ""])(
    "take no cluster from an answer that is none: %j",
    (line) => {
      const seen = hostFacts({ ...answers(DEBIAN_13), programs: { "postgres-clusters": line } });
      expect(seen).toEqual(DEBIAN_13);
    },
  );
});

it("[W6] only a host whose services are packages is asked for its Postgres clusters", () => {
  expect(Object.keys(questions("native").ask.programs)).toContain("postgres-clusters");
  expect(Object.keys(questions("quadlet").ask.programs)).not.toContain("postgres-clusters");
});

it("what containers need comes from the host's distribution", () => {
  expect(containerPackages(DEBIAN_13)).toMatchObject({ podman: "any", uidmap: "any", passt: "any" });
});

describe.each(Object.entries(DISTRIBUTIONS))("the column %s", (key, column) => {
  const [distribution = "", release = ""] = key.split(":");
  const facts = { ...DEBIAN_13, distribution, release };

  it("is found by what os-release says", () => {
    expect(columnOf({ distribution, release })).toBe(column);
  });

  it("names the packages that the host is asked for", () => {
    expect(hostFacts(answers(facts))).toEqual(facts);
    const { packages } = questions("native").ask;
    expect(packages).toEqual(
      expect.arrayContaining([column.python.package, column.postgres.package, column.nginx.package]),
    );
  });

  it("has Podman for containers, and offers no package under another name than its own", () => {
    expect(column.containers).toContain("podman");
    const own = [column.python.package, column.postgres.package, column.nginx.package, "podman"];
    expect(own).toEqual(expect.arrayContaining(Object.keys(column.offers)));
  });
});

it("a rolling distribution has a column without a release, whatever its images call theirs", () => {
  expect(columnOf({ distribution: "arch", release: "20260101.0" })).toBe(DISTRIBUTIONS.arch);
});

it("what is not supported yet is refused for that runtime only", () => {
  expect(questions("native").distributions.arch?.refused).toMatch(
    /^runtime native is not supported there yet/,
  );
  expect(questions("quadlet").distributions.arch?.refused).toBe("");
});
