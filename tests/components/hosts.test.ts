import { committedStacks } from "../fixtures/stacks";
import { changed, fixture, releasesOf, runProgram } from "../support/program";

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
  const home = () => {
    const stack = committedStacks().find(({ name }) => name === "home");
    if (stack === undefined) throw new Error("there is no Pulumi.home.yaml");
    return stack;
  };

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
  const named = (run: Awaited<ReturnType<typeof runProgram>>) =>
    run.resources
      .map(({ type, name }) => `${type} ${name}`)
      .filter((resource) => !resource.startsWith("pulumi:"));

  it("is looked at, prepared for what its runtime needs, and adds nothing else to the stack", async () => {
    const one = named(await runProgram(fixture("minimal")));
    const two = await runProgram(fixture("two-hosts"));
    expect(named(two).filter((resource) => !one.includes(resource))).toEqual([
      "hearth:hosts:Machine laptop",
      "hearth-host:index:Host laptop",
      "hearth-host:index:Release laptop-rootless",
    ]);
    expect(one.filter((resource) => !named(two).includes(resource))).toEqual([]);
    const host = two.resources.find(({ type, name }) => type.endsWith(":Host") && name === "laptop");
    expect(host?.inputs).toMatchObject({
      connection: { name: "laptop", address: "laptop.example.org", user: "alice", become: "sudo" },
      rootless: true,
      memory: { "the system itself": 512 },
    });
  });
});
