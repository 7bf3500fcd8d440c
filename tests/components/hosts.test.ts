import { committedStacks } from "../fixtures/stacks";
import { changed, fixture, type ProgramRun, releasesOf, runProgram } from "../support/program";

const home = () => {
  const stack = committedStacks().find(({ name }) => name === "home");
  if (stack === undefined) throw new Error("there is no Pulumi.home.yaml");
  return stack;
};

const hostOf = async (stack = fixture("minimal")) => {
  const run = await runProgram(stack);
  return run.resources.find(({ type }) => type.endsWith(":Host"));
};

it("a host has its name and its connection from the stack file", async () => {
  expect(await hostOf()).toMatchObject({
    name: "vps",
    inputs: {
      connection: { name: "vps", transport: "ssh", address: "vps.example.org", user: "root", become: "none" },
    },
  });
});

it("files have absolute paths, because the provider starts in another directory", async () => {
  const host = await hostOf(fixture("full"));
  expect(host?.inputs.connection).toMatchObject({
    identityFile: expect.stringMatching(/^\/.*\/id_ed25519$/),
    knownHostsFile: expect.stringMatching(/^\/.*\/known_hosts$/),
    sshConfigFile: expect.stringMatching(/^\/.*\/ssh_config$/),
  });
});

it("[A9] the password for sudo is a secret, the rest of the connection is not", async () => {
  const stack = changed(fixture("minimal"), {
    "hosts.vps.become": "sudo",
    "hosts.vps.user": "debian",
    secrets: { sudo: { vps: "planted-sudo" } },
  });
  const host = await hostOf(stack);
  expect(host?.inputs.connection).toMatchObject({
    become: "sudo",
    user: "debian",
    sudoPassword: { value: "planted-sudo", "4dabf18193072939515e22adb298388d": expect.any(String) },
  });
});

describe("a host for rootless containers", () => {
  it("[H1] [H14] is checked for what they need, and for the memory that all of them may use", async () => {
    const host = await hostOf(home());
    expect(host?.inputs).toMatchObject({
      rootless: true,
      memory: expect.objectContaining({ synapse: 1024, "the system itself": 512 }),
    });
    expect((await hostOf())?.inputs).toMatchObject({ rootless: false, memory: {} });
  });

  it("[H1] is prepared by root before the releases of the user, and only through a release", async () => {
    const run = await runProgram(home());
    const { rootless, ...others } = releasesOf(run);
    expect(rootless).toMatchObject({
      scope: "system",
      packages: expect.objectContaining({ podman: "any", uidmap: "any" }),
      tasks: {
        linger: { want: "on", observe: expect.arrayContaining(["alice"]) },
        subids: { want: "enough", observe: expect.arrayContaining(["alice"]) },
      },
    });
    const users = Object.values(others).filter(({ scope }) => scope === "user");
    expect(users.map(({ release }) => release)).toEqual(
      expect.arrayContaining(["homeserver", "postgres", "proxy"]),
    );
    for (const { release } of users) {
      const registered = run.resources.find(
        ({ type, inputs }) => type.endsWith(":Release") && inputs.release === release,
      );
      expect([release, registered?.dependsOn]).toEqual([release, expect.arrayContaining(["home-rootless"])]);
    }
  });

  it("without sudo has no release of root: it must already be prepared, or it is refused", async () => {
    const run = await runProgram(changed(home(), { "hosts.home.become": "none" }));
    expect(Object.values(releasesOf(run)).filter(({ scope }) => scope === "system")).toEqual([]);
  });
});

describe("a second host on which nothing runs", () => {
  const named = ({ resources }: ProgramRun) => resources.map(({ type, name }) => `${type} ${name}`);
  const added = (one: ProgramRun, two: ProgramRun) =>
    two.resources.filter(({ type, name }) => !named(one).includes(`${type} ${name}`));
  const hostIn = (run: ProgramRun, name: string) =>
    run.resources.find((resource) => resource.type.endsWith(":Host") && resource.name === name);

  it("has only its facts: they are asked for, and its distribution is an output", async () => {
    const spare = { address: "spare.example.org", user: "root" };
    const one = await runProgram(fixture("minimal"));
    const two = await runProgram(changed(fixture("minimal"), { "hosts.spare": spare }));
    expect(added(one, two).map(({ type, name }) => `${type} ${name}`)).toEqual([
      "hearth:hosts:Machine spare",
      "hearth-host:index:Host spare",
    ]);
    expect(two.resources.length).toBe(one.resources.length + 2);
    const { connection, ...questions } = hostIn(two, "spare")?.inputs ?? {};
    expect(connection).toEqual({ ...spare, name: "spare", transport: "ssh", become: "none" });
    const { connection: _, ...asked } = hostIn(one, "vps")?.inputs ?? {};
    expect(questions).toEqual(asked);
    expect(two.outputs.hosts).toEqual({ vps: "Debian 13 (trixie)", spare: "Debian 13 (trixie)" });
    expect({ ...two.outputs, hosts: one.outputs.hosts }).toEqual(one.outputs);
  });

  it("is prepared for rootless containers if they are its runtime, and its memory is its own", async () => {
    const one = await runProgram(fixture("minimal"));
    const two = await runProgram(fixture("two-hosts"));
    expect(added(one, two).map(({ type, name }) => `${type} ${name}`)).toEqual([
      "hearth:hosts:Machine laptop",
      "hearth-host:index:Host laptop",
      "hearth-host:index:Release laptop-rootless",
    ]);
    expect(two.resources.length).toBe(one.resources.length + 3);
    expect(hostIn(two, "laptop")?.inputs).toMatchObject({
      connection: { name: "laptop", address: "laptop.example.org", user: "alice", become: "sudo" },
      rootless: true,
      memory: { "the system itself": 512 },
    });
  });

  it("takes nothing from the memory of the host with the services, and may have another runtime", async () => {
    const one = await runProgram(home());
    const two = await runProgram(changed(home(), { "hosts.spare": { address: "spare.example.org" } }));
    expect(added(one, two).map(({ name }) => name)).toEqual(["spare", "spare"]);
    expect(hostIn(two, "home")).toEqual(hostIn(one, "home"));
    expect(hostIn(two, "spare")?.inputs).toMatchObject({ rootless: false, memory: {} });
  });
});
